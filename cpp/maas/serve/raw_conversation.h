// Raw frames (docs/raw_protocol.md).
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "maas/serve/conversation.h"
#include "maas/serve/last_question.h"
#include "maas/serve/pace.h"
#include "maas/serve/worker.h"
#include "maas/wire/frame.h"

namespace maas::serve {

class RawConversation final : public Conversation {
 public:
  explicit RawConversation(Worker& worker);
  ~RawConversation() override;

  size_t read(std::string_view bytes) override;
  bool answered() const override { return open_ == 0; }
  size_t wanted() const override { return wanted_; }
  bool in_body() const override { return wanted_ > 0; }
  void turn_away() override;
  void expire() override;

 private:
  class RawCall;

  void take(std::string_view frame);
  void decode(std::string_view frame, RawCall& call);
  void infer(std::string_view frame, RawCall& call);
  void add(RawCall& call);
  void authenticate(RawCall& call);
  wire::Status judge(std::string_view model);
  void describe(RawCall& call);
  RawCall& next_call();
  void refuse(const wire::Status& why);
  void finished();
  void all_answered();

  Worker& worker_;
  std::optional<Credentials> credentials_;
  LastQuestion last_;
  Pace decoding_, telling_;
  Clock::time_point told_run_;  // when the run ended whose answers are being told
  std::deque<std::unique_ptr<RawCall>> calls_;
  const std::shared_ptr<Counters> counters_;
  size_t used_ = 0, open_ = 0, wanted_ = 0;
  bool reading_ = false;
};

}  // namespace maas::serve
