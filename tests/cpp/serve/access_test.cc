// Who may ask what, in both protocols.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "maas/serve/http_conversation.h"
#include "maas/serve/raw_conversation.h"
#include "maas/wire/frame.h"
#include "serve/desk.h"

namespace maas::serve {
namespace {

const std::string kForM = "maas_0123456789abcdef_" + std::string(48, 'm');
const std::string kForAdmin = "maas_fedcba9876543210_" + std::string(48, 'a');

class Guarded : public ::testing::Test {
 protected:
  Guarded() {
    desk.models.set(make_model("n", "1", linear_onnx()));
    tokens.set({{kForM.substr(5, 16), digest_of(kForM), {"predict:m"}, {}},
                {kForAdmin.substr(5, 16), digest_of(kForAdmin), {"admin"}, {}}});
  }

  std::string ask(const std::string& line, const std::string& token, const std::string& body = "") {
    std::string request = line + " HTTP/1.1\r\nHost: h\r\n";
    if (!token.empty()) request += "Authorization: " + token + "\r\n";
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    HttpConversation conversation(worker);
    const wire::Padded padded(request);
    conversation.read(padded.text());
    if (!conversation.answered()) worker.flush();
    return conversation.answered() ? conversation.out() : "asked";
  }
  int status(const std::string& line, const std::string& token, const std::string& body = "") {
    const std::string answer = ask(line, token, body);
    return answer == "asked" ? 0 : std::stoi(answer.substr(9, 3));
  }

  Desk desk;
  TokenTable tokens;
  AccessRules rules{tokens, std::nullopt, "0.0.0.0"};
  std::vector<ControlRequest> asked;
  Worker worker{desk.options,
                desk.models,
                [] {},
                [](Call&) { return false; },
                [this](ControlRequest request, ControlQueue::Answer) {
                  asked.push_back(std::move(request));
                  return true;
                },
                nullptr,
                std::make_shared<Counters>(),
                &rules};
};

const std::string kBody = R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[0.5,-1,2]}]})";

TEST_F(Guarded, HttpNeedsATokenForTheModel) {
  const std::string infer_m = "POST /v2/models/m/infer", infer_n = "POST /v2/models/n/infer";
  EXPECT_EQ(status(infer_m, "", kBody), 401);
  EXPECT_EQ(status(infer_m, "Bearer " + kForM, kBody), 200);
  EXPECT_EQ(status(infer_m, "bearer " + kForM, kBody), 200);
  EXPECT_EQ(status(infer_m, "Bearer " + kForAdmin, kBody), 200);
  EXPECT_EQ(status(infer_n, "Bearer " + kForM, kBody), 403);
  EXPECT_EQ(status("POST /v2/models/%6d/infer", "Bearer " + kForM, kBody), 200);
  EXPECT_EQ(status("POST /v2/models/nobody/infer", "Bearer " + kForM, kBody), 403)
      << "also where there is none";
  EXPECT_EQ(status("POST /v2/models/nobody/infer", "", kBody), 401);
  for (const char* wrong : {"Bearer x", "Basic dTpw", "Bearer", "Bearer ", "x"})
    EXPECT_EQ(status(infer_m, wrong, kBody), 401) << wrong;
  const std::string refused = ask(infer_m, "", kBody);
  EXPECT_NE(refused.find("\r\nWWW-Authenticate: Bearer\r\n"), std::string::npos) << refused;
  const std::string secret = ask(infer_n, "Bearer " + kForM, kBody);
  EXPECT_EQ(secret.find("maas_"), std::string::npos) << "no answer repeats a token";
  for (const char* of_model : {"GET /v2/models/n", "GET /v2/models/n/ready", "GET /v2/models/n/versions/1"}) {
    EXPECT_EQ(status(of_model, ""), 401);
    EXPECT_EQ(status(of_model, "Bearer " + kForM), 403);
    EXPECT_EQ(status(of_model, "Bearer " + kForAdmin), 200);
  }
}

TEST_F(Guarded, HealthAndMetricsAreOpenAsOptionsSay) {
  for (const char* health : {"GET /v2/health/live", "GET /v2/health/ready", "GET /v2"})
    EXPECT_EQ(status(health, ""), 200) << health;
  EXPECT_EQ(status("GET /metrics", ""), 0);
  desk.options.open_health = desk.options.open_metrics = false;
  for (const char* health : {"GET /v2/health/live", "GET /v2/health/ready", "GET /v2", "GET /metrics"}) {
    EXPECT_EQ(status(health, ""), 401) << health;
    EXPECT_NE(status(health, "Bearer " + kForM), 401) << health;
  }
}

TEST_F(Guarded, ChangesNeedAdmin) {
  for (const char* change :
       {"POST /v2/repository/models/m/load", "POST /v2/repository/models/m/unload", "DELETE /v2/models/m/x",
        "POST /metrics2", "POST /v2%2Frepository/index", "GET /v2/%6dodels/n/config"}) {
    EXPECT_EQ(status(change, ""), 401) << change;
    EXPECT_EQ(status(change, "Bearer " + kForM), 403) << change;
    EXPECT_EQ(status(change, "Bearer " + kForAdmin), 0) << change;
  }
  EXPECT_EQ(status("POST /v2/repository/index", "Bearer " + kForM), 0);
  EXPECT_EQ(status("GET /v2/models/m/config", "Bearer " + kForM), 0);
  EXPECT_EQ(status("GET /v2/models/n/config", "Bearer " + kForM), 403);
}

TEST_F(Guarded, TheControlPlaneSeesNoToken) {
  EXPECT_EQ(status("GET /openapi.json", "Bearer " + kForM), 0);
  ASSERT_EQ(asked.size(), 1U);
  for (const auto& [name, value] : asked[0].fields) EXPECT_EQ(value.find("maas_"), std::string::npos) << name;
}

TEST_F(Guarded, NobodyWaitsForABodyThatIsNotWanted) {
  for (const char* expects : {"", "Expect: 100-continue\r\n"}) {
    HttpConversation conversation(worker);
    const std::string head = "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 60000000\r\n" +
                             std::string(expects) + "\r\n";
    const wire::Padded padded(head);
    EXPECT_EQ(conversation.read(padded.text()), head.size());
    EXPECT_TRUE(conversation.out().starts_with("HTTP/1.1 401 ")) << conversation.out();
    EXPECT_EQ(conversation.out().find("100 Continue"), std::string::npos);
    EXPECT_TRUE(conversation.ends());
  }
}

TEST_F(Guarded, EachRequestShowsItsOwnToken) {
  HttpConversation conversation(worker);
  const auto get = [](const std::string& token) {
    return "GET /v2/models/m HTTP/1.1\r\nHost: h\r\n" +
           (token.empty() ? "" : "Authorization: Bearer " + token + "\r\n") + "\r\n";
  };
  const wire::Padded padded(get(kForM) + get("") + get("x") + get(kForAdmin));
  conversation.read(padded.text());
  std::string seen;
  const std::string& out = conversation.out();
  for (size_t at = out.find("HTTP/1.1 "); at != std::string::npos; at = out.find("HTTP/1.1 ", at + 1))
    seen += out.substr(at + 9, 3) + " ";
  EXPECT_EQ(seen, "200 401 401 200 ");
}

std::string frame(wire::FrameKind kind, std::string_view model, std::string_view token = {}) {
  wire::Tensor tensor;
  tensor.name = "token";
  tensor.type = wire::DataType::kBytes;
  tensor.rank = 1;
  tensor.shape[0] = 1;
  tensor.count = 1;
  tensor.data = &token;
  std::string out;
  wire::encode_frame({static_cast<uint8_t>(kind), 0, 1}, 0,
                     {model, {}, {}, {&tensor, token.empty() ? size_t{0} : size_t{1}}}, out);
  return out;
}

TEST_F(Guarded, RawConnectionsAuthenticateOnce) {
  using wire::FrameKind;
  RawConversation conversation(worker);
  const auto status = [&](const std::string& sent) {
    const wire::Padded padded(sent);
    EXPECT_EQ(conversation.read(padded.text()), sent.size());
    const std::string out = std::exchange(conversation.out(), {});
    return static_cast<int>(static_cast<unsigned char>(out.at(6)));
  };
  const int denied = wire::frame_status(ErrorCode::kPermissionDenied);
  EXPECT_EQ(status(frame(FrameKind::kPing, "")), 0);
  EXPECT_EQ(status(frame(FrameKind::kMetadata, "m")), denied);
  EXPECT_EQ(status(frame(FrameKind::kInfer, "m")), denied);
  EXPECT_EQ(status(frame(FrameKind::kAuth, "")), wire::frame_status(ErrorCode::kInvalidArgument));
  EXPECT_EQ(status(frame(FrameKind::kAuth, "", "maas_x")), denied);
  EXPECT_EQ(status(frame(FrameKind::kAuth, "", kForM)), 0);
  EXPECT_EQ(status(frame(FrameKind::kMetadata, "m")), 0);
  EXPECT_EQ(status(frame(FrameKind::kMetadata, "n")), denied);
  EXPECT_EQ(status(frame(FrameKind::kInfer, "n")), denied);
  tokens.set({});
  EXPECT_EQ(status(frame(FrameKind::kMetadata, "m")), denied) << "revoked";
}

}  // namespace
}  // namespace maas::serve
