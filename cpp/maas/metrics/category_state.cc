#include "maas/metrics/category_state.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>

#include "maas/base/view.h"

namespace maas {
namespace {

constexpr uint64_t kMaxCount = uint64_t{1} << 53;  // counts stay exact as double
constexpr uint64_t kCloseSpan = 1024;              // from the first to the last of integers that lie close
constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

uint64_t mixed(uint64_t bits) {
  bits *= kMultiplier;
  return bits ^ (bits >> 32);
}

// From a to b, modulo 2^64.
uint64_t distance(int64_t a, int64_t b) { return static_cast<uint64_t>(b) - static_cast<uint64_t>(a); }

uint64_t hash_of(int64_t number) { return mixed(static_cast<uint64_t>(number)); }

template <class T>
uint64_t load_as(const char* p) {
  return load_unaligned(reinterpret_cast<const T*>(p));
}

// Speed only: a vocabulary chosen to collide makes its own lookups slow, live values cannot.
uint64_t hash_of(std::string_view text) {
  uint64_t hash = text.size() * kMultiplier;
  const char* p = text.data();
  size_t left = text.size();
  for (; left > 8; left -= 8, p += 8) hash = mixed(hash ^ load_as<uint64_t>(p));
  // What is left, read twice in parts: cheaper than a copy of its length.
  if (left >= 4) {
    hash ^= load_as<uint32_t>(p) | uint64_t{load_as<uint32_t>(p + left - 4)} << 32;
  } else if (left > 0) {
    const auto byte = [p](size_t i) { return uint64_t{static_cast<uint8_t>(p[i])}; };
    hash ^= byte(0) | byte(left / 2) << 8 | byte(left - 1) << 16;
  }
  return mixed(hash);
}

template <class T>
bool rises(const std::vector<T>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

template <class T>
void require_rising(const std::vector<T>& values) {
  if (values.size() > Vocabulary::kMaxSize) throw_invalid("categories", "expected at most 65536 of them");
  if (!rises(values)) throw_invalid("categories", "expected values that rise");
}

}  // namespace

Vocabulary::Vocabulary(std::vector<int64_t> numbers) : numbers_(std::move(numbers)) {
  require_rising(numbers_);
  fill_slots();
}

Vocabulary::Vocabulary(std::vector<std::string> texts) : is_text_(true), texts_(std::move(texts)) {
  require_rising(texts_);
  for (const std::string& text : texts_) longest_ = std::max(longest_, text.size());
  if (longest_ > kMaxText) throw_invalid("categories", "expected texts of at most 4096 bytes");
  fill_slots();
}

void Vocabulary::fill_slots() {
  const auto none = static_cast<uint32_t>(size());
  const uint64_t span = numbers_.empty() ? kCloseSpan : distance(numbers_.front(), numbers_.back());
  is_close_ = span < kCloseSpan;
  if (is_close_) {
    slots_.assign(span + 2, none);
    for (uint32_t k = 0; k < none; ++k) slots_[distance(numbers_[0], numbers_[k])] = k;
    return;
  }
  slots_.assign(std::bit_ceil(2 * size() + 1), none);
  for (size_t k = 0; k < size(); ++k) {
    uint64_t at = is_text_ ? hash_of(std::string_view(texts_[k])) : hash_of(numbers_[k]);
    while (slots_[at & (slots_.size() - 1)] != none) ++at;
    slots_[at & (slots_.size() - 1)] = static_cast<uint32_t>(k);
  }
}

template <class Value, class Equal>
size_t Vocabulary::probe(Value hash, Equal equal) const noexcept {
  const size_t none = size(), mask = slots_.size() - 1;
  for (uint64_t at = hash;; ++at) {
    const size_t k = slots_[at & mask];
    if (k == none || equal(k)) return k;
  }
}

size_t Vocabulary::find(int64_t number) const noexcept {
  if (is_close_) return slots_[std::min<uint64_t>(distance(numbers_[0], number), slots_.size() - 1)];
  if (numbers_.empty()) return size();
  return probe(hash_of(number), [&](size_t k) { return numbers_[k] == number; });
}

size_t Vocabulary::find(std::string_view text) const noexcept {
  if (texts_.empty() || text.size() > longest_) return size();
  return probe(hash_of(text), [&](size_t k) { return std::string_view(texts_[k]) == text; });
}

bool Vocabulary::operator==(const Vocabulary& other) const {
  return is_text_ == other.is_text_ && numbers_ == other.numbers_ && texts_ == other.texts_;
}

CategoryState::CategoryState(std::string config, Vocabulary vocabulary)
    : config_(std::move(config)), vocabulary_(std::move(vocabulary)), counts_(vocabulary_.size() + 1) {}

void CategoryState::update(const ArrayView& values) noexcept {
  if (values.is_float()) {
    double block[kBlockRows];
    for (size_t begin = 0; begin < values.size; begin += kBlockRows) {
      const size_t n = std::min(kBlockRows, values.size - begin);
      const double* numbers = read_doubles(values, begin, n, block);
      for (size_t i = 0; i < n; ++i) {
        const double x = load_unaligned(numbers + i);
        // Every double in this range is one of int64's, or has a fraction.
        const bool inside = x >= -0x1p63 && x < 0x1p63;
        const int64_t whole = inside ? static_cast<int64_t>(x) : 0;
        const bool exact = inside && static_cast<double>(whole) == x;
        if (x == x) ++counts_[exact ? vocabulary_.find(whole) : vocabulary_.size()];
        missing_ += x != x;
      }
    }
    return;
  }
  int64_t block[kBlockRows];
  for (size_t begin = 0; begin < values.size; begin += kBlockRows) {
    const size_t n = std::min(kBlockRows, values.size - begin);
    if (const int64_t* numbers = read_labels(values, begin, n, block)) {
      for (size_t i = 0; i < n; ++i) ++counts_[vocabulary_.find(load_unaligned(numbers + i))];
      continue;
    }
    for (size_t i = begin; i < begin + n; ++i) {  // some lie beyond int64
      const int64_t* number = read_labels(values, i, 1, block);
      ++counts_[number ? vocabulary_.find(*number) : vocabulary_.size()];
    }
  }
}

void CategoryState::update(const TextView& values) noexcept {
  const auto* at = reinterpret_cast<const std::byte*>(values.data);
  for (size_t i = 0; i < values.size; ++i, at += values.stride) {
    const auto text = load_unaligned(reinterpret_cast<const std::string_view*>(at));
    if (text.data() == nullptr) {
      ++missing_;
    } else {
      ++counts_[vocabulary_.find(text)];
    }
  }
}

void CategoryState::merge(const CategoryState& other) {
  require_same_config(config_, other.config_);
  if (!(vocabulary_ == other.vocabulary_)) throw_invalid("metric state", "expected the same categories");
  for (size_t k = 0; k < counts_.size(); ++k) counts_[k] += other.counts_[k];
  missing_ += other.missing_;
}

uint64_t CategoryState::rows() const {
  uint64_t rows = missing_;
  for (const uint64_t count : counts_) rows += count;
  return rows;
}

// u8 text, u32 n, n x i64 or n x (u32 bytes, text); u64 missing, unseen, n x u64 counts.
void CategoryState::write(StateWriter& out) const {
  out.put(static_cast<uint8_t>(vocabulary_.is_text()));
  out.put(static_cast<uint32_t>(vocabulary_.size()));
  out.put_all(vocabulary_.numbers().data(), vocabulary_.numbers().size());
  for (const std::string& text : vocabulary_.texts()) {
    out.put(static_cast<uint32_t>(text.size()));
    out.put_all(text.data(), text.size());
  }
  out.put(missing_);
  out.put(counts_.back());
  out.put_all(counts_.data(), counts_.size() - 1);
}

void CategoryState::read(StateReader& in) {
  const auto text = in.get<uint8_t>();
  in.require(text <= 1, "integers or texts");
  const size_t size = in.get<uint32_t>();
  in.require(size <= Vocabulary::kMaxSize, "at most 65536 categories");
  if (text == 0) {
    std::vector<int64_t> numbers = in.get_all<int64_t>(size);
    in.require(rises(numbers), "categories that rise");
    vocabulary_ = Vocabulary(std::move(numbers));
  } else {
    std::vector<std::string> texts;
    for (size_t k = 0; k < size; ++k) {
      const std::vector<char> bytes = in.get_all<char>(in.get<uint32_t>());
      in.require(bytes.size() <= Vocabulary::kMaxText, "texts of at most 4096 bytes");
      texts.emplace_back(bytes.begin(), bytes.end());
    }
    in.require(rises(texts), "categories that rise");
    vocabulary_ = Vocabulary(std::move(texts));
  }
  missing_ = in.get<uint64_t>();
  const auto unseen = in.get<uint64_t>();
  counts_ = in.get_all<uint64_t>(size);
  counts_.push_back(unseen);
  in.require(missing_ < kMaxCount, "counts below 2^53");
  for (const uint64_t count : counts_) in.require(count < kMaxCount, "counts below 2^53");
}

}  // namespace maas
