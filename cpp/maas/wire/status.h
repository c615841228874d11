// What a codec says of bytes that it refuses: a code of the engine's and one line for the sender.
#pragma once

#include <string>
#include <utility>

#include "maas/base/error.h"

namespace maas::wire {

// Values, not exceptions: refusing hostile bytes is ordinary work here. The text tells the sender what to
// mend and nothing about this machine; it holds at most a short, escaped piece of what was sent.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, std::string text) : failed_(true), code_(code), text_(std::move(text)) {}

  bool ok() const { return !failed_; }
  ErrorCode code() const { return code_; }
  const std::string& text() const { return text_; }

 private:
  bool failed_ = false;
  ErrorCode code_ = ErrorCode::kInternal;
  std::string text_;
};

inline Status invalid(std::string text) { return {ErrorCode::kInvalidArgument, std::move(text)}; }

}  // namespace maas::wire
