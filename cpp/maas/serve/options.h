// What a server may be told: addresses, threads and limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "maas/wire/http_parser.h"

namespace maas::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int http_port = 0;        // 0: any that is free; -1: none
  int tcp_port = -1;        // of raw frames; likewise
  int threads = 1;          // for input and output; each runs the small batches that arrive at it
  int compute_threads = 1;  // for large batches, so that small ones do not wait behind them

  wire::HttpLimits http;
  size_t frame_bytes = 64 << 20;      // a raw frame
  size_t expanded_bytes = 64 << 20;   // a body that came compressed
  size_t batch_rows = 4096;           // of one run of several requests together
  uint32_t batch_wait_us = 0;         // that a run waits for more requests to join it
  size_t large_us = 1000;             // a request that takes longer, roughly, goes to the compute threads
  size_t short_json = 256 << 10;      // bytes of JSON; more are read by the compute threads
  size_t short_expanded = 64 << 10;   // bytes of a compressed body; more are expanded by the compute threads
  size_t large_queue_rows = 1 << 20;  // rows that wait for the compute threads; more are refused
  size_t pipelined = 64;              // requests of one connection that are read before it is answered
  size_t compress_bytes = 16 << 10;   // answers that are shorter are not compressed
  std::string access_log;             // a file's path, "-" for standard output, "" for none
  double access_log_sample = 1;       // share of requests that it tells of
  size_t control_requests = 0;        // that wait for the control plane; 0: there is none
  size_t control_bytes = 16 << 20;    // of those requests together

  // Limits on clients. Seconds are counted by one look at all connections a second.
  size_t connections = 10000;     // above them, and above what descriptors allow, only health is answered
  size_t memory_bytes = 1 << 30;  // of requests and answers that all connections hold; then bodies get 503
  uint32_t idle_seconds = 300;    // between requests
  uint32_t head_seconds = 10;     // for a request's head, a TLS handshake, a raw frame's size
  uint32_t body_seconds = 60;     // for a request's body, the rest of a raw frame
  uint32_t write_seconds = 30;    // without the client taking a byte of its answer

  // PEM files; with a certificate every connection is over TLS 1.2 or 1.3. With a client CA only who shows a
  // certificate of that authority connects.
  std::string tls_cert, tls_key, tls_client_ca;

  // Who needs no token: everyone, nobody or, where it is not said, everyone on an address of this machine as
  // long as there are no tokens.
  std::optional<bool> anonymous;
  bool open_health = true, open_metrics = true;  // also to those without a token
};

}  // namespace maas::serve
