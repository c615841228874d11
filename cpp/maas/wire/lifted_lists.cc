#include "maas/wire/lifted_lists.h"

#include "maas/wire/infer_decoder.h"
#include "maas/wire/number_list.h"

namespace maas::wire {

static_assert(kListPadding <= kBodyPadding);

namespace {

constexpr size_t kMostRest = 64 << 10;  // bytes; what is longer holds other things than numbers
constexpr std::string_view kBlanks = " \t\r\n";

// Behind the quote that closes the text in quotes at `at`.
size_t text_end(std::string_view json, size_t at) {
  size_t end = at;
  size_t slashes = 0;
  do {
    end = json.find('"', end + 1);
    if (end == std::string_view::npos) return end;
    for (slashes = 0; json[end - slashes - 1] == '\\'; ++slashes) continue;
  } while (slashes % 2 == 1);
  return end + 1;
}

// Where the value of the key that ends at `at` begins.
size_t value_begin(std::string_view json, size_t at) {
  at = json.find_first_not_of(kBlanks, at);
  if (at == std::string_view::npos || json[at] != ':') return std::string_view::npos;
  return json.find_first_not_of(kBlanks, at + 1);
}

}  // namespace

bool LiftedLists::lift(std::string_view json) {
  rest_.clear();
  lists_.clear();
  read_ = 0;
  size_t kept = 0, at = 0;  // kept: from here on it is still to be copied
  while ((at = json.find('"', at)) != std::string_view::npos) {
    const size_t end = text_end(json, at);
    if (end == std::string_view::npos || rest_.size() + end - kept > kMostRest) return false;
    const bool is_data = json.substr(at, end - at) == "\"data\"";
    at = end;
    if (!is_data) continue;
    const size_t begin = value_begin(json, end);
    if (begin == std::string_view::npos) return false;
    const size_t size = number_list_size(json.substr(begin));
    if (size == 0) return false;  // goes on looking, this would be quadratic
    rest_.append(json, kept, begin - kept);
    lists_.push_back({rest_.size(), json.substr(begin, size)});
    rest_ += "[]";
    at = kept = begin + size;
  }
  if (lists_.empty() || rest_.size() + json.size() - kept > kMostRest) return false;
  rest_.append(json, kept);
  size_ = rest_.size();
  rest_.append(kBodyPadding, ' ');
  return true;
}

std::string_view LiftedLists::take(const char* place) {
  if (all_read() || rest_.data() + lists_[read_].place != place) return {};
  return lists_[read_++].text;
}

}  // namespace maas::wire
