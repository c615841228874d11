// Everything at once: clients of both protocols ask, connect and leave, while models, tokens and readiness
// change, figures are read and the server stops. Every answer is right, and the sanitizers see all of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "maas/serve/live_profile.h"
#include "maas/serve/server.h"
#include "maas/wire/frame.h"
#include "serve/client.h"
#include "serve/desk.h"
#include "serve/tls_client.h"

namespace maas::serve {
namespace {

using std::chrono::milliseconds;
using wire::FrameKind;

constexpr int kRounds = 40;
constexpr size_t kLargeRows = 5000;  // go to the compute threads
constexpr size_t kLongRows = 400;    // of JSON that is read there
constexpr double kPatience = 60;     // seconds that no healthy run needs

const std::string kTokenId = "0123456789abcdef";
const std::string kToken = "maas_" + kTokenId + "_" + std::string(48, 's');

Token token(const std::string& id, const std::string& text) { return {id, digest_of(text), {"admin"}, {}}; }

std::string http_get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + kToken + "\r\n\r\n";
}

std::string http_infer(size_t rows) {
  return "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + kToken +
         "\r\nInference-Header-Content-Length: 0\r\nContent-Length: " + std::to_string(12 * rows) +
         "\r\n\r\n" + std::string(12 * rows, '\0');
}

// Long enough to be read by the compute threads; its answer is binary.
std::string json_infer(size_t rows) {
  std::string body =
      R"({"parameters":{"binary_data_output":true},"inputs":[{"name":"x","datatype":"FP32","shape":[)" +
      std::to_string(rows) + R"(,3],"data":[0)";
  for (size_t i = 1; i < 3 * rows; ++i) body += ",0";
  body += "]}]}";
  return "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + kToken +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

bool is_ok(std::string_view answer) { return answer.starts_with("HTTP/1.1 200 "); }

std::string raw_frame(FrameKind kind, uint64_t id, std::string_view model, const wire::Tensor& tensor) {
  std::string out;
  wire::encode_frame({static_cast<uint8_t>(kind), 0, id}, 0, {model, {}, {}, {&tensor, 1}}, out);
  return out;
}

std::string raw_infer(uint64_t id, size_t rows) {
  const std::vector<float> values(3 * rows);
  wire::Tensor x{.name = "x", .rank = 2, .count = values.size(), .data = values.data()};
  x.shape[0] = static_cast<int64_t>(rows);
  x.shape[1] = 3;
  return raw_frame(FrameKind::kInfer, id, "m", x);
}

std::string raw_auth() {
  const std::string_view text = kToken;
  wire::Tensor shown{.name = "token", .type = wire::DataType::kBytes, .rank = 1, .count = 1, .data = &text};
  shown.shape[0] = 1;
  return raw_frame(FrameKind::kAuth, 0, "", shown);
}

// The first whole frame that comes; "" where none does.
std::string read_frame(Client& client, std::string& held) {
  size_t size = 0;
  wire::Status status;
  while (wire::find_frame(held, 1 << 24, size, status) != wire::FrameState::kWhole) {
    const std::string more = client.read_more(kPatience);
    if (more.empty()) return "";
    held += more;
  }
  std::string frame = held.substr(0, size);
  held.erase(0, size);
  return frame;
}

ModelPointer watched_model(const std::string& version) {
  auto model = std::make_shared<ServedModel>("m", version, linear_onnx());
  std::vector<ColumnState> states(3, HistogramState("x", {-1, 0, 1}));
  const std::vector<ProfiledColumn> columns = {{false, "x", 0}, {false, "x", 2}, {true, "y", 1}};
  model->watch(std::make_unique<LiveProfile>(model->program(), columns, ProfileState(std::move(states))));
  return model;
}

// A server in which everything is switched on, and what is done to it from outside while clients ask.
class Churn : public ::testing::Test {
 protected:
  Churn() {
    options.threads = 2;
    options.compute_threads = 2;
    options.large_us = 20;
    options.short_json = 500;
    options.tcp_port = 0;
    options.control_requests = 64;
    options.anonymous = false;
    options.access_log = ::testing::TempDir() + "maas_churn_" + std::to_string(::getpid());
  }
  ~Churn() override {
    if (control_.joinable()) stop(milliseconds(0));
    std::remove(options.access_log.c_str());
  }

  void start() {
    server = std::make_unique<Server>(options);
    server->models().set(watched_model("1"));
    server->tokens().set({token(kTokenId, kToken)});
    server->start();
    control_ = std::thread([&] {
      while (const auto request = server->control().next())
        server->control().answer(request->id, {.status = 200, .fields = {}, .body = request->target});
    });
    one_row_ =
        testing::run_once<float>(server->models().snapshot()->at("m").current->program(), {0, 0, 0}, 1);
  }
  void stop(milliseconds patience) {
    server->stop(patience);
    control_.join();
  }

  // Whether an answer ends with the outputs of `rows` rows of zeros.
  bool is_right(std::string_view answer, size_t rows) const {
    std::string all;
    for (size_t i = 0; i < rows; ++i) all.append(reinterpret_cast<const char*>(one_row_.data()), 8);
    return answer.size() > all.size() && answer.ends_with(all);
  }

  // How many of these are answered right.
  int ask_http(int rounds) const {
    int right = 0;
    Client client(server->http_port());
    for (int i = 0; i < rounds; ++i) {
      const bool json = i % 4 == 2;
      const size_t rows = i % 8 == 7 ? kLargeRows : json ? kLongRows : static_cast<size_t>(i % 5 + 1);
      client.send((json ? json_infer(rows) : http_infer(rows)) + http_get("/x"));  // pipelined
      const std::string answer = client.read_http(kPatience);
      right += is_ok(answer) && is_right(answer, rows) && is_ok(client.read_http(kPatience));
    }
    return right;
  }
  int ask_raw(int rounds) const {
    int right = 0;
    Client client(server->tcp_port());
    std::string held;
    client.send(raw_auth());
    right -= read_frame(client, held).empty();
    for (int i = 0; i < rounds; ++i) {
      const size_t rows = i % 8 == 7 ? kLargeRows : static_cast<size_t>(i % 5 + 1);
      client.send(raw_infer(1, rows) + raw_infer(2, rows));
      for (int k = 0; k < 2; ++k) right += is_right(read_frame(client, held), rows);
    }
    return right;
  }
  // Clients that leave at the wrong moment.
  void come_and_go(int rounds) const {
    const std::string bytes = http_infer(kLargeRows) + json_infer(kLongRows) + http_get("/x");
    const std::string frames = raw_auth() + raw_infer(1, kLargeRows) + raw_infer(2, 1);
    for (int i = 0; i < rounds; ++i) {
      const auto part = [i](const std::string& all) { return all.substr(0, all.size() * (i % 11) / 10); };
      Client(server->http_port()).send(part(bytes));
      Client(server->tcp_port()).send(part(frames));
    }
  }

  // Until `done`: all that the control plane does to a server, from two threads.
  void change_models(const std::atomic<bool>& done) const {
    for (int i = 2; !done; ++i) {
      server->models().set(watched_model(std::to_string(i)));
      server->models().remove("m", std::to_string(i - 1));
    }
  }
  void change_others(const std::atomic<bool>& done) const {
    for (int i = 0; !done; ++i) {
      server->tokens().set({token(kTokenId, kToken), token(std::to_string(i), "other")});
      server->readiness().set({{{"later", std::to_string(i)}}, "a note"});
      read_all();
    }
  }
  uint64_t read_all() const {
    const auto models = server->models().snapshot();
    if (LiveProfile* live = models->at("m").current->live_profile()) live->collect();
    uint64_t answered = 0;
    for (const auto& model : server->figures().models) {
      for (const auto& each : model.requests) answered += model.model.empty() ? 0 : each.answered;
    }
    return answered;
  }

  ServerOptions options;
  std::unique_ptr<Server> server;

 private:
  std::thread control_;
  std::vector<float> one_row_;
};

TEST_F(Churn, NoRequestFailsWhateverChanges) {
  start();
  std::atomic<bool> done = false;
  std::thread models([&] { change_models(done); }), others([&] { change_others(done); });
  std::atomic<int> http = 0, raw = 0;
  std::vector<std::thread> clients;
  for (int t = 0; t < 3; ++t) {
    clients.emplace_back([&] { http += ask_http(kRounds); });
    clients.emplace_back([&] { raw += ask_raw(kRounds); });
  }
  come_and_go(kRounds);
  for (auto& each : clients) each.join();
  done = true;
  models.join();
  others.join();
  EXPECT_EQ(http, 3 * kRounds);
  EXPECT_EQ(raw, 3 * 2 * kRounds);
  EXPECT_GE(read_all(), 3U * 3U * kRounds);
  stop(milliseconds(10000));
  EXPECT_GE(read_all(), 3U * 3U * kRounds);
}

TEST_F(Churn, StopsUnderLoadWithoutAWrongAnswer) {
  for (const int patience : {0, 20, 10000}) {
    start();
    std::atomic<bool> done = false;
    std::atomic<int> begun = 0, wrong = 0;
    std::vector<std::thread> clients;
    for (int t = 0; t < 4; ++t) {
      clients.emplace_back([&] {
        for (bool first = true; !done; first = false) {
          Client client(server->http_port());
          client.send(json_infer(kLongRows) + http_infer(kLargeRows) + http_infer(3));
          for (const size_t rows : {kLongRows, kLargeRows, size_t{3}}) {
            const std::string answer = client.read_http(kPatience);
            wrong += !answer.empty() && !is_right(answer, rows);
          }
          if (first) ++begun;
        }
      });
    }
    while (begun < 4) std::this_thread::yield();
    std::thread others([&] { change_others(done); });
    stop(milliseconds(patience));
    done = true;
    others.join();
    for (auto& each : clients) each.join();
    EXPECT_EQ(wrong, 0);
  }
}

TEST_F(Churn, TlsConnectionsComeAskAndGo) {
  const PemFolder folder;
  const KeyPair authority = make_certificate("authority"), pair = make_certificate("localhost", &authority);
  options.tls_cert = folder.certificate("cert.pem", pair);
  options.tls_key = folder.key("key.pem", pair);
  start();
  std::atomic<bool> done = false;
  std::atomic<int> right = 0;
  std::thread models([&] { change_models(done); });
  std::thread renewer([&] {
    while (!done) server->renew_tls();
  });
  std::vector<std::thread> clients;
  for (int t = 0; t < 4; ++t) {
    clients.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        TlsClient client(server->http_port(), authority);
        right += is_ok(client.ask(http_infer(1))) && is_ok(client.ask(http_get("/x")));
        TlsClient(server->http_port(), authority).ask(http_infer(kLargeRows), 0);  // leaves at once
      }
    });
  }
  for (auto& each : clients) each.join();
  done = true;
  models.join();
  renewer.join();
  EXPECT_EQ(right, 40);
  stop(milliseconds(50));
}

}  // namespace
}  // namespace maas::serve
