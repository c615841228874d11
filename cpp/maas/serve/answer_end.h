// Where an answer ends, for a client that wants no more of it than its status. No sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace maas::serve {

struct AnswerEnd {
  size_t size = 0;  // bytes of the answer at the front; 0: not all has come
  int status = 0;   // HTTP's, or a frame's
  uint64_t id = 0;  // a frame's
  bool closes = false;
};

// Throw InvalidArgument for what is no answer of the protocol, or an HTTP answer without Content-Length.
AnswerEnd end_of_http(std::string_view bytes);
AnswerEnd end_of_frame(std::string_view bytes);

}  // namespace maas::serve
