// A sum of doubles without any rounding: a fixed-point number wide enough for every double, after R. Neal,
// "Fast exact summation using small and large superaccumulators" (2015). Because nothing is rounded before
// the end, any order of additions and merges gives the same bits: this is what makes metric states mergeable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace maas {

class StateReader;
class StateWriter;

// A value type; one thread at a time.
class ExactSum {
 public:
  void add(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const auto biased = static_cast<uint32_t>(bits >> 52) & 0x7ff;
    if (biased == 0x7ff) return add_special(value);
    const uint64_t mantissa = (bits & ((uint64_t{1} << 52) - 1)) | (uint64_t{biased != 0} << 52);
    const uint32_t position = biased - (biased != 0);  // of the lowest mantissa bit, counted from 2^-1074
    const uint32_t shift = position % 32;
    const auto low = static_cast<int64_t>((mantissa << shift) & 0xffffffff);
    const auto high = static_cast<int64_t>(mantissa >> (32 - shift));  // at most 52 bits
    const int64_t sign = static_cast<int64_t>(bits) >> 63;             // 0 or -1: x ^ sign - sign negates
    chunks_[position / 32] += (low ^ sign) - sign;
    chunks_[position / 32 + 1] += (high ^ sign) - sign;
    if (++pending_ == kMaxPending) carry();
  }
  void merge(const ExactSum& other);

  // The sum rounded once, to nearest even. Infinite on overflow or if an infinity was added; NaN likewise.
  double value() const;
  // Doubles of falling magnitude whose exact sum is this sum; empty for zero. For a finite sum only.
  std::vector<double> parts() const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  // Chunk i counts units of 2^(32 i - 1074). 68 of them leave room for 2^64 of the largest doubles.
  static constexpr size_t kChunks = 68;
  // An addition puts at most 52 bits into a chunk of 63, which carry() leaves below 2^32.
  static constexpr uint32_t kMaxPending = 1024;

  void add_special(double value);
  // Brings every chunk but the signed last one into [0, 2^32): the one representation of a value.
  void carry();
  // Carries and makes the value positive; returns whether it was negative.
  bool make_magnitude();

  std::array<int64_t, kChunks> chunks_{};
  uint32_t pending_ = 0;
  uint32_t specials_ = 0;  // bits: NaN, +infinity, -infinity were added
};

}  // namespace maas
