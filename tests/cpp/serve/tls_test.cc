#include "maas/serve/tls.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "maas/base/error.h"
#include "maas/serve/server.h"
#include "maas/wire/frame.h"
#include "onnx/model_bytes.h"
#include "serve/certificates.h"
#include "serve/desk.h"
#include "serve/tls_client.h"

namespace maas::serve {
namespace {

const std::string kLive = "GET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n";

class Tls : public ::testing::Test {
 protected:
  Tls() {
    options.tls_cert = folder.certificate("cert.pem", server_pair);
    options.tls_key = folder.key("key.pem", server_pair);
    options.tcp_port = 0;
  }
  std::unique_ptr<Server> start() {
    auto server = std::make_unique<Server>(options);
    server->models().set(make_model("m", "1", linear_onnx()));
    server->start();
    return server;
  }
  PemFolder folder;
  KeyPair authority = make_certificate("authority"), stranger = make_certificate("stranger");
  KeyPair server_pair = make_certificate("localhost", &authority), own = make_certificate("own", &authority);
  ServerOptions options;
};

TEST_F(Tls, CarriesBothProtocols) {
  const auto server = start();
  TlsClient http(server->http_port(), authority);
  ASSERT_TRUE(http.connected());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(http.ask(kLive).starts_with("HTTP/1.1 200 "));
  TlsClient raw(server->tcp_port(), authority);
  std::string ping;
  wire::encode_frame({static_cast<uint8_t>(wire::FrameKind::kPing), 0, 7}, 0, {}, ping);
  EXPECT_EQ(raw.ask(ping).size(), wire::kFrameHead);
  TlsClient old(server->http_port(), authority, nullptr, TLS1_2_VERSION);
  EXPECT_TRUE(old.ask(kLive).starts_with("HTTP/1.1 200 "));
}

TEST_F(Tls, CarriesMuch) {
  const auto server = start();
  TlsClient client(server->http_port(), authority);
  const size_t rows = 200000;
  const std::string answer = client.ask(
      "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nInference-Header-Content-Length: "
      "0\r\nContent-Length: " +
          std::to_string(12 * rows) + "\r\n\r\n" + std::string(12 * rows, '\0'),
      8 * rows);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 "));
  EXPECT_GT(answer.size(), 8 * rows);
}

TEST_F(Tls, RefusesOldVersionsAndPlainText) {
  const auto server = start();
  EXPECT_FALSE(TlsClient(server->http_port(), authority, nullptr, TLS1_1_VERSION).connected());
  EXPECT_FALSE(TlsClient(server->http_port(), stranger).connected()) << "of another authority";
  EXPECT_TRUE(TlsClient(server->http_port(), authority).connected());
}

TEST_F(Tls, OnlyWhoShowsACertificateOfTheAuthorityConnects) {
  options.tls_client_ca = folder.certificate("ca.pem", authority);
  const auto server = start();
  for (const int port : {server->http_port(), server->tcp_port()}) {
    EXPECT_EQ(TlsClient(port, authority).ask(kLive), "") << "none";
    EXPECT_EQ(TlsClient(port, authority, &stranger).ask(kLive), "") << "another authority's";
  }
  EXPECT_TRUE(TlsClient(server->http_port(), authority, &own).ask(kLive).starts_with("HTTP/1.1 200 "));
}

TEST_F(Tls, AHandshakeThatNeverComesEnds) {
  options.head_seconds = 1;
  const auto server = start();
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server->http_port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(silent, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const timeval patience = {60, 0};
  setsockopt(silent, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  char byte;
  EXPECT_EQ(::recv(silent, &byte, 1, 0), 0);
  ::close(silent);
}

TEST_F(Tls, TellsASlowSender) {
  options.head_seconds = 1;
  const auto server = start();
  TlsClient slow(server->http_port(), authority);
  EXPECT_TRUE(slow.ask("GET /v2/health", 1000).starts_with("HTTP/1.1 408 "));
}

TEST_F(Tls, RenewedCertificatesAreShownToNewConnections) {
  const auto server = start();
  TlsClient before(server->http_port(), authority);
  folder.certificate("cert.pem", own);  // whose key is still the old one
  EXPECT_THROW(server->renew_tls(), Error);
  EXPECT_TRUE(TlsClient(server->http_port(), authority).connected());
  const KeyPair other = make_certificate("localhost", &stranger);
  folder.certificate("cert.pem", other);
  folder.key("key.pem", other);
  server->renew_tls();
  EXPECT_TRUE(TlsClient(server->http_port(), stranger).connected());
  EXPECT_FALSE(TlsClient(server->http_port(), authority).connected());
  EXPECT_TRUE(before.ask(kLive).starts_with("HTTP/1.1 200 ")) << "goes on as it was";
  server->stop(std::chrono::milliseconds(0));
  server->renew_tls();
}

TEST_F(Tls, StopsWithConnectionsInEveryState) {
  const auto server = start();
  TlsClient idle(server->http_port(), authority), begun(server->http_port(), authority);
  EXPECT_NE(idle.ask(kLive), "");
  begun.ask("GET /", 0);
  server->stop(std::chrono::milliseconds(200));
}

TEST_F(Tls, WrongFilesAreOneClearError) {
  const auto refused = [&](std::string ServerOptions::* option, const std::string& value, const char* words) {
    ServerOptions wrong = options;
    wrong.*option = value;
    pb::expect_error(ErrorCode::kInvalidArgument, words, [&] { make_tls(wrong); });
  };
  const std::string text = folder.text("text.pem", "no certificate"), missing = text + ".missing";
  refused(&ServerOptions::tls_cert, missing, "in tls_cert, got '");
  refused(&ServerOptions::tls_cert, text, "in tls_cert, got '");
  refused(&ServerOptions::tls_cert, "", "expected tls_cert where");
  refused(&ServerOptions::tls_key, missing, "in tls_key, got '");
  refused(&ServerOptions::tls_key, text, "in tls_key, got '");
  refused(&ServerOptions::tls_key, "", "expected tls_key where");
  refused(&ServerOptions::tls_key, folder.key("other.pem", stranger), "in tls_key, got '");
  refused(&ServerOptions::tls_key, folder.key("locked.pem", server_pair, "secret"), "without a password");
  refused(&ServerOptions::tls_client_ca, missing, "in tls_client_ca, got '");
  refused(&ServerOptions::tls_client_ca, text, "in tls_client_ca, got '");
  EXPECT_EQ(make_tls(ServerOptions()), nullptr);
  Server server([&] {
    ServerOptions wrong = options;
    wrong.tls_key = missing;
    return wrong;
  }());
  EXPECT_THROW(server.start(), Error);
}

}  // namespace
}  // namespace maas::serve
