// What a connection asked last. A client asks in one form again and again, with other values: then names,
// types and shapes need no second look.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maas/serve/call.h"

namespace maas::serve {

// Of whole raw frames, on the connection's own thread.
class LastQuestion {
 public:
  // Whether `frame` asks as the last one did, of a table of models that has not changed since. `call` is then
  // bound to the frame's values; its times are not set.
  bool repeated(std::string_view frame, ModelReader& models, Call& call) const;

  // Of a frame that was decoded into `call` and bound. Only the common form is kept: one tensor of numbers
  // that the model takes as they lie in the frame.
  void remember(std::string_view frame, const ModelReader& models, const ModelPointer& model,
                const Call& call);

 private:
  std::string before_, after_;  // a frame's bytes around its values; empty: nothing is remembered
  uint64_t generation_ = 0;
  const ModelPointer* model_ = nullptr;  // in the reader's map, as long as that is of this generation
  InputArray input_;
  size_t rows_ = 0;
  std::vector<size_t> wanted_;
};

}  // namespace maas::serve
