// The server: sockets, threads, models. Everything else in this room is without sockets.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "maas/serve/control_queue.h"
#include "maas/serve/counters.h"
#include "maas/serve/model_table.h"
#include "maas/serve/options.h"
#include "maas/serve/readiness.h"
#include "maas/serve/tokens.h"

namespace maas::serve {

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();  // stops at once

  // Requests for the control plane, where options.control_requests lets some wait. Readable from the start,
  // closed by stop().
  ControlQueue& control();
  // Of /v2/health/ready, and of models that are still to come.
  Readiness& readiness();

  // Binds, listens and starts the threads; returns when connections are accepted. Throws InvalidArgument for
  // an address that cannot be had.
  void start();
  // Reads the certificates' files again, for connections from now on. Throws as start() for what they must
  // not be, and all stays as it was.
  void renew_tls();
  // Accepts no more, lets requests that have come be answered for at most `patience`, then closes everything.
  // Does nothing the second time.
  void stop(std::chrono::milliseconds patience);

  // The ports in use, after start(); -1 where there is none.
  int http_port() const;
  int tcp_port() const;

  // Connections that are let in: as many as wanted, or as the descriptors that this process may open now
  // allow.
  size_t connection_limit() const;

  ModelTable& models();

  // Which tokens are good; before any are set there are none.
  TokenTable& tokens();

  // Takes a version out of models(); false where there is none. Of those of a model that are gone only the
  // last few keep figures of their own.
  bool remove(const std::string& name, const std::string& version);

  // What has been done so far; no thread stops for it.
  Figures figures() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace maas::serve
