#include "maas/serve/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>
#include <system_error>

#include "maas/base/error.h"

namespace maas::serve {

namespace ssl = boost::asio::ssl;
using ErrorText = boost::system::error_code;

namespace {

constexpr unsigned char kSessions[] = "maas_engine";  // whose sessions may be resumed: only this server's

// Asio (1.74) has no words for what the system says through OpenSSL 3.
std::string words(const ErrorText& error) {
  const auto code = static_cast<unsigned int>(error.value());
  if (ERR_SYSTEM_ERROR(code))
    return std::generic_category().message(static_cast<int>(code & ERR_SYSTEM_MASK));
  const char* const reason = ERR_reason_error_string(code);
  return reason == nullptr ? error.message() : reason;
}

void expect_file(const ErrorText& error, const char* option, const char* what, const std::string& path) {
  if (!error) return;
  throw_invalid("serve",
                std::string("expected ") + what + " in " + option + ", got '" + path + "': " + words(error));
}

}  // namespace

std::unique_ptr<ssl::context> make_tls(const ServerOptions& options) {
  if (options.tls_cert.empty()) {
    if (options.tls_key.empty() && options.tls_client_ca.empty()) return nullptr;
    throw_invalid("serve", "expected tls_cert where tls_key or tls_client_ca is given");
  }
  if (options.tls_key.empty()) throw_invalid("serve", "expected tls_key where tls_cert is given");
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // thousands of idle connections
  SSL_CTX_set_session_id_context(native, kSessions, sizeof(kSessions) - 1);
  ErrorText error;
  // Without this OpenSSL asks the terminal for the key's password.
  context->set_password_callback([](size_t, ssl::context::password_purpose) { return std::string(); }, error);
  context->use_certificate_chain_file(options.tls_cert, error);
  expect_file(error, "tls_cert", "a certificate, and those that it rests on, in PEM", options.tls_cert);
  context->use_private_key_file(options.tls_key, ssl::context::pem, error);
  expect_file(error, "tls_key", "the certificate's private key in PEM, without a password", options.tls_key);
  if (options.tls_client_ca.empty()) return context;
  context->load_verify_file(options.tls_client_ca, error);
  expect_file(error, "tls_client_ca", "certificates of authorities in PEM", options.tls_client_ca);
  SSL_CTX_set_client_CA_list(native, SSL_load_client_CA_file(options.tls_client_ca.c_str()));
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  return context;
}

}  // namespace maas::serve
