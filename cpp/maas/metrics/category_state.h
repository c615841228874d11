// Counts of integers or texts of a closed vocabulary: what labels and categories of a reference and of live
// rows are kept as.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "maas/metrics/array_view.h"
#include "maas/metrics/state_bytes.h"

namespace maas {

// A column of texts as runs have them. A text without data is a missing one, unlike an empty text.
struct TextView {
  const std::string_view* data = nullptr;
  size_t size = 0;
  ptrdiff_t stride = sizeof(std::string_view);  // bytes
};

// The place of a known value in its vocabulary, found without allocation. Immutable.
class Vocabulary {
 public:
  static constexpr size_t kMaxSize = size_t{1} << 16;
  static constexpr size_t kMaxText = size_t{1} << 12;  // bytes of one text

  Vocabulary() = default;
  // Values that rise; InvalidArgument where they do not, or where there are too many. Texts compare by bytes.
  explicit Vocabulary(std::vector<int64_t> numbers);
  explicit Vocabulary(std::vector<std::string> texts);

  bool is_text() const { return is_text_; }
  size_t size() const { return is_text_ ? texts_.size() : numbers_.size(); }
  const std::vector<int64_t>& numbers() const { return numbers_; }
  const std::vector<std::string>& texts() const { return texts_; }
  // size() for what is not in it.
  size_t find(int64_t number) const noexcept;
  size_t find(std::string_view text) const noexcept;
  bool operator==(const Vocabulary& other) const;

 private:
  void fill_slots();
  template <class Value, class Equal>
  size_t probe(Value hash, Equal equal) const noexcept;

  bool is_text_ = false;
  std::vector<int64_t> numbers_;
  std::vector<std::string> texts_;
  size_t longest_ = 0;  // bytes of a text
  // Places; size() where there is none. By hash, at most half of them taken, or, where integers lie close, by
  // their distance from the first, with one more for all others.
  std::vector<uint32_t> slots_;
  bool is_close_ = false;
};

// A value; one thread at a time.
class CategoryState {
 public:
  static constexpr uint16_t kTypeId = 7;
  static constexpr uint16_t kVersion = 1;

  explicit CategoryState(std::string config) : CategoryState(std::move(config), Vocabulary()) {}
  CategoryState(std::string config, Vocabulary vocabulary);

  const std::string& config() const { return config_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }

  // NaN and texts without data are missing; values that the vocabulary does not hold, fractions and what is
  // of the other kind are unseen. No allocation, no exception.
  void update(const ArrayView& values) noexcept;
  void update(const TextView& values) noexcept;
  void merge(const CategoryState& other);
  // The same vocabulary with nothing counted.
  CategoryState empty() const { return CategoryState(config_, vocabulary_); }

  uint64_t rows() const;
  uint64_t missing() const { return missing_; }
  uint64_t unseen() const { return counts_.back(); }
  // One a value of the vocabulary.
  std::vector<uint64_t> counts() const { return {counts_.begin(), counts_.end() - 1}; }

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  std::string config_;
  Vocabulary vocabulary_;
  std::vector<uint64_t> counts_;  // the last for the unseen
  uint64_t missing_ = 0;
};

}  // namespace maas
