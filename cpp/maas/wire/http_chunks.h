// A body in chunks (RFC 9112, 7.1).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace maas::wire {

class ChunkReader {
 public:
  enum class State { kNeedMore, kDone, kBad, kTooLarge };

  explicit ChunkReader(size_t body_limit = 0) : limit_(body_limit) {}

  // Reads on in `bytes` from `at`, which it moves; lines that are not whole are left. Extensions and trailers
  // are read over. Lines and trailers have limits of their own, so tiny chunks cost a sender more than us.
  State read(std::string_view bytes, size_t& at);

  std::string& body() { return body_; }

 private:
  enum class Part { kSize, kData, kDataEnd, kTrailer };

  State read_size(std::string_view line);
  State read_data(std::string_view bytes, size_t& at);

  size_t limit_ = 0, left_ = 0, trailer_ = 0;
  Part part_ = Part::kSize;
  std::string body_;
};

}  // namespace maas::wire
