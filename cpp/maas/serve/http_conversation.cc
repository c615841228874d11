#include "maas/serve/http_conversation.h"

#include <algorithm>
#include <new>
#include <utility>

#include "maas/serve/describe.h"
#include "maas/serve/http_access.h"
#include "maas/serve/request_body.h"
#include "maas/wire/content_coding.h"
#include "maas/wire/http_fields.h"
#include "maas/wire/infer_encoder.h"
#include "maas/wire/shown.h"

namespace maas::serve {

namespace {

constexpr std::string_view kServer =
    "{\"name\":\"maas_engine\",\"version\":\"" MAAS_VERSION "\",\"extensions\":[\"binary_tensor_data\"]}";
constexpr unsigned kRetrySeconds = 1;
constexpr size_t kSpareCalls = 64;  // of one thread

wire::Status no_memory() { return {ErrorCode::kOverloaded, "no memory for this answer"}; }

}  // namespace

// A request and the whole text of its answer.
class HttpConversation::HttpCall final : public Call {
 public:
  explicit HttpCall(Worker& worker) : body(worker.load, worker.options), worker_(worker) {
    request.room.set_budget([this](size_t bytes) { return body.take(bytes); });
  }

  void begin(const wire::HttpRequest& sent) {
    clear();
    reply = {};
    reply.keep_alive = sent.keep_alive;
    reply.says_keep_alive = sent.old;
    coding = sent.accepts_gzip      ? wire::ContentCoding::kGzip
             : sent.accepts_deflate ? wire::ContentCoding::kDeflate
                                    : wire::ContentCoding::kIdentity;
    only_head = sent.method == wire::Method::kHead;
    text.clear();
    body_.clear();
    done = false;
  }

  void answered(std::span<const wire::Tensor> outputs) override {
    if (told == Clock::time_point{}) told = Clock::now();
    if (status.ok()) encode(outputs);
    if (!status.ok()) return fail(wire::http_status(status.code()), status.text());
    finish();
  }

  void fail(int http_status, std::string_view message) {
    reply.status = http_status;
    reply.json_size.reset();
    reply.content_type = "application/json";
    if (http_status == 429 || http_status == 503) reply.retry_after = kRetrySeconds;
    body_.clear();
    wire::encode_error(message, body_);
    finish();
  }

  void answered_with(wire::Status why) {
    status = std::move(why);
    answered({});
  }

  // Of a model that is not in the table.
  void missing(std::string_view name) {
    status = missing_model(worker_, name);
    fail(status.code() == ErrorCode::kNotFound ? 404 : 503, status.text());
  }

  void control_answered(ControlReply answer) {
    type_ = content_type(answer);
    lines_ = field_lines(answer);
    reply.status = answer.status;
    reply.content_type = type_;
    reply.fields = lines_;
    body_ = std::move(answer.body);
    finish();
  }

  // What an unusually large request or answer took.
  void give_back() {
    for (std::string* each : {&text, &body_}) {
      if (each->capacity() > wire::kKeptBytes) std::string().swap(*each);
    }
    request.give_back();
    body.give_back();
  }

  void succeed(std::string_view json) {
    body_ = json;
    finish();
  }

  HttpConversation* conversation = nullptr;  // that has it now
  wire::HttpReply reply;
  wire::ContentCoding coding = wire::ContentCoding::kIdentity;
  bool only_head = false, done = false;
  RequestBody body;
  std::string text;  // head and body of the answer

 private:
  void encode(std::span<const wire::Tensor> outputs) try {
    std::unique_ptr<bool[]> binary(new bool[outputs.size() + 1]);
    bool any = false;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const bool named = i < request.outputs.size();
      binary[i] = named ? request.outputs[i].binary.value_or(request.binary_output) : request.binary_output;
      any = any || binary[i];
    }
    size_t json_size = 0;
    status = wire::encode_answer({model->name(), model->version(), request.id, outputs},
                                 {binary.get(), outputs.size()}, body_, json_size);
    if (!any) return;
    reply.json_size = json_size;
    reply.content_type = "application/octet-stream";
  } catch (const std::bad_alloc&) {
    std::string().swap(body_);
    status = no_memory();
  }

  void finish() {
    try {
      write();
    } catch (const std::bad_alloc&) {
      std::string().swap(text);
      const bool keep_alive = reply.keep_alive;
      reply = {};
      reply.status = 503;
      reply.keep_alive = keep_alive;
      reply.retry_after = kRetrySeconds;
      coding = wire::ContentCoding::kIdentity;
      std::string().swap(body_);
      write();
    }
    body.hold(text);
    body.hold(body_);
    done = true;
    count();
    model.reset();
    conversation->finished();
  }

  void write() {
    std::string packed;
    if (coding != wire::ContentCoding::kIdentity && body_.size() >= worker_.options.compress_bytes &&
        wire::compress(body_, coding, packed).ok()) {
      body_.swap(packed);
      reply.coding = coding;
    }
    wire::append_head(reply, body_.size(), worker_.date(), text);
    if (!only_head) text += body_;
  }

  void count() {
    if (model != nullptr || !status.ok()) return worker_.finished(*this, Protocol::kHttp);
    if (reply.status < 400) return worker_.counters->other(Protocol::kHttp);
    worker_.counters->other(Protocol::kHttp, wire::error_code(reply.status));
  }

  Worker& worker_;
  std::string body_;
  std::string type_, lines_;  // of the control plane's reply
};

HttpConversation::HttpConversation(Worker& worker)
    : worker_(worker), parser_(worker.options.http), counters_(worker.counters) {
  if (worker.rules != nullptr) credentials_.emplace(*worker.rules);
  counters_->opened(Protocol::kHttp);
}
HttpConversation::~HttpConversation() { counters_->closed(Protocol::kHttp); }

size_t HttpConversation::read(std::string_view bytes) {
  reading_ = true;
  size_t taken = 0;
  while (!ends_ && calls_.size() < worker_.options.pipelined) {
    const auto state = parser_.parse(bytes.substr(taken));
    if (state == wire::HttpParser::State::kDone) {
      take(parser_.request(), draining_ && taken + parser_.size() == bytes.size());
      taken += parser_.size();
      parser_.reset();
      head_judged_ = false;
      if (taken == bytes.size()) break;
      continue;
    }
    owes_continue_ = state == wire::HttpParser::State::kContinue;  // behind the answers before it
    if (state != wire::HttpParser::State::kBad && parser_.in_body() && deny_head()) {
      owes_continue_ = false;
      taken = bytes.size();
    }
    if (state == wire::HttpParser::State::kBad) {
      last_call().fail(parser_.status(), parser_.text());
      taken = bytes.size();
    }
    break;
  }
  reading_ = false;
  if (open_ == 0) gather();
  return taken;
}

HttpConversation::HttpCall& HttpConversation::next_call() {
  auto& spare = worker_.spare_calls;
  if (spare.empty()) spare.push_back(std::make_unique<HttpCall>(worker_));
  calls_.push_back(std::move(spare.back()));
  spare.pop_back();
  ++open_;
  auto& call = static_cast<HttpCall&>(*calls_.back());
  call.conversation = this;
  return call;
}

// For the answer after which the connection ends: what follows cannot be told apart or is not wanted.
HttpConversation::HttpCall& HttpConversation::last_call() {
  HttpCall& call = next_call();
  call.begin({});
  call.reply.keep_alive = false;
  ends_ = true;
  return call;
}

Access HttpConversation::judge(const wire::HttpRequest& request, const Route& route) {
  if (!credentials_ || is_open(request, route, worker_.options)) return Access::kAllowed;
  const Need need = need_of(request, route);
  // A page in a browser of this machine reaches the server as if it were the browser's user.
  if (need.kind == Need::Kind::kAdmin && request.authorization.empty() && !request.field("Origin").empty())
    return Access::kNoScope;
  credentials_->show(bearer_token(request.authorization));
  return credentials_->ask(need);
}

void HttpConversation::deny(Access access, const Route& route, HttpCall& call) {
  if (access == Access::kNoScope) {
    return call.fail(403, route.model.empty()
                              ? "expected a token that allows this"
                              : "expected a token that allows model " + wire::shown(route.model));
  }
  call.reply.wants_token = true;
  call.fail(401, "expected a token that is valid: Authorization: Bearer TOKEN");
}

// Before a body is waited for: who may not ask does not fill the server's memory.
bool HttpConversation::deny_head() {
  if (std::exchange(head_judged_, true)) return false;
  const wire::HttpRequest& request = parser_.request();
  const Route route = find_route(request.method, request.path);
  const Access access = judge(request, route);
  if (access == Access::kAllowed) return false;
  deny(access, route, last_call());
  return true;
}

void HttpConversation::end_with(int status, std::string_view text) {
  reading_ = true;
  last_call().fail(status, text);
  reading_ = false;
  gather();
}

void HttpConversation::turn_away() { end_with(503, "no memory for this body now: try again later"); }

void HttpConversation::expire() {
  const bool body = in_body();
  const uint32_t seconds = body ? worker_.options.body_seconds : worker_.options.head_seconds;
  owes_continue_ = false;
  end_with(408, std::string("expected the whole ") + (body ? "body" : "head") + " of a request within " +
                    std::to_string(seconds) + " seconds");
}

void HttpConversation::take(const wire::HttpRequest& request, bool last) {
  HttpCall& call = next_call();
  call.begin(request);
  if (last) call.reply.keep_alive = false;
  ends_ = !call.reply.keep_alive;
  const Route route = find_route(request.method, request.path);
  if (crowded_) {
    ends_ = true;
    call.reply.keep_alive = false;
    if (route.endpoint != Endpoint::kLive && route.endpoint != Endpoint::kReady)
      return call.fail(503, "too many connections: try again later");
  }
  if (const Access access = judge(request, route); access != Access::kAllowed)
    return deny(access, route, call);
  switch (route.endpoint) {
    case Endpoint::kInfer: return infer(request, route, call);
    case Endpoint::kLive: return call.succeed("{\"live\":true}");
    case Endpoint::kReady: {
      const ReadyText ready = describe_readiness(worker_);
      return ready.ready ? call.succeed(ready.text) : call.fail(503, ready.text);
    }
    case Endpoint::kServerMetadata: return call.succeed(kServer);
    case Endpoint::kModelMetadata:
    case Endpoint::kModelReady: return describe_model(route, call);
    case Endpoint::kWrongMethod:
      call.reply.fields = route.allowed;
      return call.fail(405, "expected another method for " + wire::shown(request.path));
    case Endpoint::kOther: return ask_control(request, call);
  }
}

void HttpConversation::infer(const wire::HttpRequest& request, const Route& route, HttpCall& call) {
  const ModelPointer* found = worker_.models.find(route.model, route.version);
  if (found == nullptr) return call.missing(route.model);
  call.model = *found;
  call.arrived = Clock::now();
  call.body.receive(request, parser_);
  if (!worker_.do_elsewhere || call.body.is_short()) {
    call.status = call.body.decode(*call.model, worker_.decoder, call.request);
    return decoded(call);
  }
  try {  // small requests do not wait for it
    worker_.do_elsewhere(
        [&call] {
          thread_local wire::InferDecoder decoder;
          call.status = call.body.decode(*call.model, decoder, call.request);
        },
        [this, &call] { decoded(call); });
  } catch (const std::bad_alloc&) {
    call.answered_with(no_memory());
  }
}

void HttpConversation::decoded(HttpCall& call) {
  try {
    if (call.status.ok()) call.status = call.model->bind(call.request, call.binding);
    if (call.status.ok()) call.status = call.model->choose(call.request, call.wanted);
  } catch (const std::bad_alloc&) {
    call.status = no_memory();
  }
  if (!call.status.ok()) return call.answered({});
  call.added = Clock::now();
  worker_.add(call);
}

void HttpConversation::describe_model(const Route& route, HttpCall& call) {
  const std::string json = model_metadata(worker_.models, route.model, route.version);
  if (json.empty()) return call.missing(route.model);
  if (route.endpoint == Endpoint::kModelMetadata) return call.succeed(json);
  std::string ready = "{\"name\":";
  wire::append_json_text(route.model, ready);
  call.succeed(ready + ",\"ready\":true}");
}

// Answered later, as a large call is: this connection waits, no other does.
void HttpConversation::ask_control(const wire::HttpRequest& request, HttpCall& call) {
  if (!worker_.ask_control) {
    return call.fail(404, "expected a path of the Open Inference Protocol, got " + wire::shown(request.path));
  }
  call.body.receive(request, parser_);
  if (wire::Status status = call.body.expand(worker_.options.short_expanded); !status.ok())
    return call.answered_with(std::move(status));
  ControlRequest asked;
  asked.method = request.verb;
  asked.target = request.path;
  if (!request.query.empty()) asked.target.append("?").append(request.query);
  for (const wire::HttpField& each : request.fields) {
    if (!wire::same_ignoring_case(each.name, "Authorization"))
      asked.fields.emplace_back(each.name, each.value);
  }
  asked.body = call.body.bytes();
  if (!worker_.ask_control(std::move(asked),
                           [&call](ControlReply reply) { call.control_answered(std::move(reply)); }))
    call.fail(503, "too many requests wait for the control plane: try again later");
}

// A call is done; the last one of several wakes the connection, unless read() is still taking requests.
void HttpConversation::finished() {
  --open_;
  if (open_ > 0 || reading_) return;
  gather();
  if (when_answered_) when_answered_();
}

void HttpConversation::gather() {
  for (auto& each : calls_) {
    auto& call = static_cast<HttpCall&>(*each);
    if (out_.empty()) {
      out_.swap(call.text);
    } else {
      out_ += call.text;
    }
    call.give_back();
    if (worker_.spare_calls.size() < kSpareCalls) worker_.spare_calls.push_back(std::move(each));
  }
  calls_.clear();
  if (owes_continue_) out_ += wire::continue_head();
  owes_continue_ = false;
}

}  // namespace maas::serve
