#include "maas/serve/raw_conversation.h"

#include <utility>

#include "maas/serve/describe.h"
#include "maas/wire/shown.h"

namespace maas::serve {

// Writes its answer straight behind those before it: frames carry ids, so their order is free.
class RawConversation::RawCall final : public Call {
 public:
  explicit RawCall(RawConversation& conversation) : conversation_(conversation) {}

  void answered(std::span<const wire::Tensor> outputs) override {
    if (!status.ok()) return fail(status);
    Pace& pace = conversation_.telling_;
    if (std::exchange(conversation_.told_run_, ran) != ran)
      pace.start(told == Clock::time_point{} ? Clock::now() : told);
    told = pace.at();
    wire::encode_frame(head, 0, {model->name(), model->version(), {}, outputs}, conversation_.out_);
    finish(pace.step());
  }
  void fail(wire::Status why) {
    status = std::move(why);
    wire::encode_frame_error(head, status.code(), status.text(), conversation_.out_);
    finish(Clock::now());
  }
  void succeed(std::span<const wire::Tensor> tensors) {
    wire::encode_frame(head, 0, {{}, {}, {}, tensors}, conversation_.out_);
    finish(Clock::now());
  }

  wire::FrameHead head;  // of the answer

 private:
  void finish(Clock::time_point now) {
    conversation_.counters_->finished(*this, Protocol::kRaw, now);
    model.reset();
    conversation_.finished();
  }
  RawConversation& conversation_;
};

RawConversation::RawConversation(Worker& worker) : worker_(worker), counters_(worker.counters) {
  if (worker.rules != nullptr) credentials_.emplace(*worker.rules);
  counters_->opened(Protocol::kRaw);
}
RawConversation::~RawConversation() { counters_->closed(Protocol::kRaw); }

size_t RawConversation::read(std::string_view bytes) {
  reading_ = true;
  decoding_.start(Clock::now());
  size_t taken = 0;
  while (!ends_ && used_ < worker_.options.pipelined) {
    wire::Status status;
    const auto state = wire::find_frame(bytes.substr(taken), worker_.options.frame_bytes, wanted_, status);
    if (state == wire::FrameState::kNeedMore) break;
    if (state == wire::FrameState::kBad) {
      refuse(status);
      taken = bytes.size();
      break;
    }
    const size_t size = std::exchange(wanted_, 0);
    take(bytes.substr(taken, size));
    taken += size;
  }
  reading_ = false;
  if (open_ == 0) all_answered();
  return taken;
}

// Ends the conversation: what follows cannot be told apart or is not wanted.
void RawConversation::refuse(const wire::Status& why) {
  RawCall& call = next_call();
  call.clear();
  call.head = {wire::kAnswerBit, 0, 0};
  ends_ = true;
  call.fail(why);
}

void RawConversation::turn_away() {
  reading_ = true;
  refuse({ErrorCode::kOverloaded, "no memory for this frame now: try again later"});
  reading_ = false;
}

void RawConversation::expire() {
  const uint32_t seconds = in_body() ? worker_.options.body_seconds : worker_.options.head_seconds;
  reading_ = true;
  refuse({ErrorCode::kDeadlineExceeded,
          "expected a whole frame within " + std::to_string(seconds) + " seconds"});
  reading_ = false;
}

RawConversation::RawCall& RawConversation::next_call() {
  if (used_ == calls_.size()) calls_.push_back(std::make_unique<RawCall>(*this));
  ++open_;
  return *calls_[used_++];
}

void RawConversation::take(std::string_view frame) {
  RawCall& call = next_call();
  if (crowded_ || !last_.repeated(frame, worker_.models, call)) return decode(frame, call);
  call.head = {static_cast<uint8_t>(wire::FrameKind::kInfer) | wire::kAnswerBit, 0, wire::frame_id(frame)};
  if (wire::Status status = judge(call.model->name()); !status.ok()) {
    call.model.reset();
    return call.fail(std::move(status));
  }
  add(call);
}

void RawConversation::decode(std::string_view frame, RawCall& call) {
  call.clear();
  wire::FrameHead head;
  const wire::Status status = wire::decode_frame(frame, head, call.request);
  call.head = {static_cast<uint8_t>(head.kind | wire::kAnswerBit), 0, head.id};
  if (!status.ok()) return call.fail(status);
  if (crowded_) {
    ends_ = true;
    return call.fail({ErrorCode::kOverloaded, "too many connections: try again later"});
  }
  switch (static_cast<wire::FrameKind>(head.kind)) {
    case wire::FrameKind::kInfer: return infer(frame, call);
    case wire::FrameKind::kPing: return call.succeed({});
    case wire::FrameKind::kMetadata: return describe(call);
    case wire::FrameKind::kAuth: return authenticate(call);
  }
  call.fail({ErrorCode::kUnsupported, "expected a frame of kind infer, ping, metadata or auth"});
}

// Who has shown no good token learns nothing else, not even which models there are.
wire::Status RawConversation::judge(std::string_view model) {
  if (!credentials_) return {};
  switch (credentials_->ask({Need::Kind::kPredict, model})) {
    case Access::kAllowed: return {};
    case Access::kNoToken:
      return {ErrorCode::kPermissionDenied, "expected an auth frame with a token that is valid, first"};
    case Access::kNoScope: break;
  }
  return {ErrorCode::kPermissionDenied, "expected a token that allows model " + wire::shown(model)};
}

void RawConversation::authenticate(RawCall& call) {
  const auto& inputs = call.request.inputs;
  const bool one_text = inputs.size() == 1 && inputs[0].name == "token" &&
                        inputs[0].type == wire::DataType::kBytes && inputs[0].count == 1;
  if (!one_text) return call.fail(wire::invalid("expected one tensor 'token' of one text"));
  if (!credentials_) return call.succeed({});
  credentials_->show(*static_cast<const std::string_view*>(inputs[0].data));
  if (credentials_->ask({Need::Kind::kRead, {}}) == Access::kAllowed) return call.succeed({});
  call.fail({ErrorCode::kPermissionDenied, "expected a token that is valid, got another text"});
}

void RawConversation::infer(std::string_view frame, RawCall& call) {
  if (wire::Status status = judge(call.request.model); !status.ok()) return call.fail(status);
  const ModelPointer* found = worker_.models.find(call.request.model, call.request.version);
  if (found == nullptr) return call.fail(missing_model(worker_, call.request.model));
  call.model = *found;
  call.status = call.model->bind(call.request, call.binding);
  if (call.status.ok()) call.status = call.model->choose(call.request, call.wanted);
  if (!call.status.ok()) {
    call.arrived = decoding_.at();
    return call.answered({});
  }
  last_.remember(frame, worker_.models, *found, call);
  add(call);
}

void RawConversation::add(RawCall& call) {
  call.arrived = decoding_.at();
  call.added = decoding_.step();
  worker_.add(call);
}

void RawConversation::describe(RawCall& call) {
  if (wire::Status status = judge(call.request.model); !status.ok()) return call.fail(status);
  const std::string json = model_metadata(worker_.models, call.request.model, call.request.version);
  if (json.empty()) return call.fail(missing_model(worker_, call.request.model));
  const std::string_view text = json;
  wire::Tensor tensor;
  tensor.name = "metadata";
  tensor.type = wire::DataType::kBytes;
  tensor.rank = 1;
  tensor.shape[0] = 1;
  tensor.count = 1;
  tensor.data = &text;
  call.succeed({&tensor, 1});
}

void RawConversation::finished() {
  --open_;
  if (open_ > 0 || reading_) return;
  all_answered();
  if (when_answered_) when_answered_();
}

void RawConversation::all_answered() {
  for (size_t i = 0; i < used_; ++i) calls_[i]->request.give_back();
  used_ = 0;
}

}  // namespace maas::serve
