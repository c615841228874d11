// A blocking client over TLS, for tests of the server over real sockets.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>

#include "serve/certificates.h"

namespace maas::serve {

// Blocking, on a socket that gives up after some seconds.
class TlsClient {
 public:
  TlsClient(int port, const KeyPair& authority, const KeyPair* own = nullptr,
            int most_version = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    signal(SIGPIPE, SIG_IGN);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.certificate.get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_max_proto_version(context_.get(), most_version);
    if (most_version < TLS1_2_VERSION) SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    if (own != nullptr) {
      SSL_CTX_use_certificate(context_.get(), own->certificate.get());
      SSL_CTX_use_PrivateKey(context_.get(), own->key.get());
    }
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience = {60, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool reached =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_);
    connected_ = reached && SSL_connect(ssl_.get()) == 1;
  }
  ~TlsClient() { ::close(socket_); }

  // What comes in answer, until `size` bytes are there or no more come.
  std::string ask(std::string_view request, size_t size = 1) {
    if (!connected_) return "";
    for (size_t sent = 0; sent < request.size();) {
      const int count = SSL_write(ssl_.get(), request.data() + sent, static_cast<int>(request.size() - sent));
      if (count <= 0) return "";
      sent += static_cast<size_t>(count);
    }
    std::string answer(1 << 16, '\0');
    size_t got = 0;
    while (got < size) {
      if (answer.size() - got < (1 << 14)) answer.resize(2 * answer.size());
      const int count = SSL_read(ssl_.get(), answer.data() + got, 1 << 14);
      if (count <= 0) break;
      got += static_cast<size_t>(count);
    }
    answer.resize(got);
    return answer;
  }
  bool connected() const { return connected_; }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  int socket_ = -1;
  bool connected_ = false;
};

}  // namespace maas::serve
