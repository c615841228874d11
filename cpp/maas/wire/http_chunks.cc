#include "maas/wire/http_chunks.h"

#include <algorithm>
#include <charconv>

namespace maas::wire {

namespace {
constexpr size_t kLongestLine = 256, kMostTrailer = 4096;
}

ChunkReader::State ChunkReader::read(std::string_view bytes, size_t& at) {
  while (true) {
    if (part_ == Part::kData) {
      if (const State state = read_data(bytes, at); state != State::kDone) return state;
      part_ = Part::kDataEnd;
    }
    const std::string_view rest = bytes.substr(at);
    const size_t end = rest.substr(0, kLongestLine).find('\n');
    if (end == std::string_view::npos) return rest.size() < kLongestLine ? State::kNeedMore : State::kBad;
    if (end == 0 || rest[end - 1] != '\r') return State::kBad;
    const std::string_view line = rest.substr(0, end - 1);
    if (line.find('\r') != std::string_view::npos) return State::kBad;
    at += end + 1;
    if (part_ == Part::kSize) {
      if (const State state = read_size(line); state != State::kDone) return state;
    } else if (part_ == Part::kDataEnd) {
      if (!line.empty()) return State::kBad;
      part_ = Part::kSize;
    } else if (line.empty()) {
      return State::kDone;
    } else if ((trailer_ += line.size()) > kMostTrailer) {
      return State::kBad;
    }
  }
}

ChunkReader::State ChunkReader::read_size(std::string_view line) {
  const char* const last = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data(), last, left_, 16);
  if (error == std::errc::result_out_of_range) return State::kTooLarge;
  if (error != std::errc() || (stop != last && *stop != ';' && *stop != ' ' && *stop != '\t'))
    return State::kBad;
  if (left_ > limit_ - body_.size()) return State::kTooLarge;
  part_ = left_ == 0 ? Part::kTrailer : Part::kData;
  return State::kDone;
}

ChunkReader::State ChunkReader::read_data(std::string_view bytes, size_t& at) {
  const std::string_view data = bytes.substr(at, left_);
  body_ += data;
  at += data.size();
  left_ -= data.size();
  return left_ == 0 ? State::kDone : State::kNeedMore;
}

}  // namespace maas::wire
