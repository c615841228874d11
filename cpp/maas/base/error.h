// The eight errors of the engine. Thrown at build, load, fit and compile; kernels return values instead.
#pragma once

#include <stdexcept>
#include <string>

#include "maas/base/export.h"

namespace maas {

enum class ErrorCode {
  kInvalidArgument,
  kFormatError,
  kNotFound,
  kUnsupported,
  kPermissionDenied,
  kOverloaded,
  kDeadlineExceeded,
  kInternal,
};

// Text reads "[where] what was expected, what came".
class MAAS_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& where, const std::string& what)
      : std::runtime_error("[" + where + "] " + what), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

// A row, label or weight that is NaN or infinite, found inside a fused pass. The Python layer turns it into
// scikit-learn's message for the array named by `what`.
class NotFinite : public Error {
 public:
  explicit NotFinite(const std::string& what)
      : Error(ErrorCode::kInvalidArgument, "fit", what + " contains NaN or infinity") {}
};

// The caller's interrupt hook (Ctrl-C in Python) asked the work to stop. Not an Error: nothing is wrong.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

[[noreturn]] inline void throw_invalid(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, where, what);
}

}  // namespace maas
