// The Open Inference Protocol over HTTP/1.1: answers what needs no one else, hands on the rest.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maas/serve/conversation.h"
#include "maas/serve/http_routes.h"
#include "maas/serve/worker.h"
#include "maas/wire/http_parser.h"
#include "maas/wire/http_reply.h"

namespace maas::serve {

class HttpConversation final : public Conversation {
 public:
  explicit HttpConversation(Worker& worker);
  ~HttpConversation() override;

  size_t read(std::string_view bytes) override;
  bool answered() const override { return open_ == 0; }
  size_t wanted() const override { return parser_.wanted(); }
  bool in_body() const override { return parser_.in_body(); }
  void turn_away() override;
  void expire() override;

 private:
  class HttpCall;

  void take(const wire::HttpRequest& request, bool last);
  void infer(const wire::HttpRequest& request, const Route& route, HttpCall& call);
  void decoded(HttpCall& call);
  void describe_model(const Route& route, HttpCall& call);
  void ask_control(const wire::HttpRequest& request, HttpCall& call);
  HttpCall& next_call();
  HttpCall& last_call();
  void end_with(int status, std::string_view text);
  Access judge(const wire::HttpRequest& request, const Route& route);
  void deny(Access access, const Route& route, HttpCall& call);
  bool deny_head();
  void finished();
  void gather();

  Worker& worker_;
  wire::HttpParser parser_;
  std::optional<Credentials> credentials_;
  std::vector<std::unique_ptr<Call>> calls_;  // HttpCalls, in the order of their requests
  const std::shared_ptr<Counters> counters_;
  size_t open_ = 0;
  bool reading_ = false, owes_continue_ = false, head_judged_ = false;
};

}  // namespace maas::serve
