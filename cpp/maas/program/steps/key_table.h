// Where a key stands in a list: the look-up of encoders. Built once, from keys that a file may have chosen
// to collide: every look-up is bounded, by kMostProbes comparisons or by a binary search.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace maas {

inline constexpr uint32_t kAbsent = 0xffffffffu;

// Which of two equal keys a table answers with.
enum class Repeated : uint8_t { kFirst, kLast };

// What keys are compared by: all NaNs are one key, and so are the two zeros.
inline uint64_t key_bits(int64_t value) { return static_cast<uint64_t>(value); }
inline uint64_t key_bits(int32_t value) { return static_cast<uint64_t>(static_cast<int64_t>(value)); }
inline uint64_t key_bits(double value) {
  if (std::isnan(value)) return 0x7ff8000000000000u;
  return std::bit_cast<uint64_t>(value + 0.0);
}
inline uint64_t key_bits(float value) { return key_bits(static_cast<double>(value)); }

// Immutable; threads may share it.
class NumberTable {
 public:
  NumberTable() = default;
  NumberTable(const std::vector<uint64_t>& keys, Repeated repeated);

  // The key's place in the list, or kAbsent.
  uint32_t find(uint64_t key) const noexcept {
    const uint64_t offset = key - least_;
    if (offset < places_.size()) return places_[offset];
    return slots_.empty() ? kAbsent : find_hashed(key);
  }

 private:
  struct Slot {
    uint64_t key;
    uint32_t place;  // kAbsent where empty
  };
  bool make_range();
  bool make_slots(uint64_t factor);
  uint32_t find_hashed(uint64_t key) const noexcept;

  std::vector<Slot> keys_;        // sorted, each once
  std::vector<uint32_t> places_;  // of least_, least_ + 1, …: keys that lie close together
  uint64_t least_ = 0;
  std::vector<Slot> slots_;  // open addressing; of one empty slot where only the sorted keys serve
  uint64_t factor_ = 0;
  int shift_ = 63;
};

// The same for text. Holds its own copy of the keys. Texts of at most 8 bytes are compared as one number.
class TextTable {
 public:
  TextTable() = default;
  TextTable(std::vector<std::string> keys, Repeated repeated);

  uint32_t find(std::string_view key) const noexcept;

 private:
  struct Slot {
    uint64_t word;    // the bytes of a short text, a hash of a longer one
    uint32_t length;  // of the text, modulo 2^32
    uint32_t place;   // kAbsent where empty
  };
  size_t home(uint64_t word, uint32_t length) const noexcept;
  size_t make_slots(uint64_t factor);
  uint32_t find_sorted(std::string_view key) const noexcept;

  std::vector<std::string> keys_;
  std::vector<uint32_t> sorted_;  // places, by key, each key once
  std::vector<Slot> slots_;       // empty where keys collide too often
  uint64_t factor_ = 0;
  int shift_ = 63;
};

}  // namespace maas
