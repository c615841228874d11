// The server: sockets, threads, models. Everything else in this room is without sockets.
#pragma once

#include <chrono>
#include <memory>

#include "maas/serve/model_table.h"
#include "maas/serve/options.h"

namespace maas::serve {

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();  // stops at once

  // Binds, listens and starts the threads; returns when connections are accepted. Throws InvalidArgument for
  // an address that cannot be had.
  void start();
  // Accepts no more, lets requests that have come be answered for at most `patience`, then closes everything.
  // Does nothing the second time.
  void stop(std::chrono::milliseconds patience);

  // The ports in use, after start(); -1 where there is none.
  int http_port() const;
  int tcp_port() const;

  ModelTable& models();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace maas::serve
