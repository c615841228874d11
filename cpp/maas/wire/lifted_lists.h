// A JSON text without its long lists of numbers: these are read as they lie, only the rest is tokenized.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace maas::wire {

class LiftedLists {
 public:
  // Takes every list of numbers out that follows a key "data". False where there is none or where too much is
  // left to be worth it. `json` has padding behind it and stays until the lists are read.
  //
  // What it takes for a list need not be one: the rest is to be parsed, each list asked for where the parser
  // meets it, and the rest's word is good only when all lists are read, which all_read() tells. For then
  // every byte of the text has been looked at by one of both.
  bool lift(std::string_view json);

  // The text with [] for each list, followed by padding of its own.
  std::string_view rest() const { return std::string_view(rest_).substr(0, size_); }
  size_t capacity() const { return rest_.size(); }

  // The next list, where it was at that place of the rest; else empty.
  std::string_view take(const char* place);
  bool all_read() const { return read_ == lists_.size(); }

 private:
  struct List {
    size_t place;  // in the rest
    std::string_view text;
  };

  std::string rest_;
  std::vector<List> lists_;
  size_t size_ = 0, read_ = 0;
};

}  // namespace maas::wire
