#include "maas/metrics/exact_sum.h"

#include <bit>
#include <cmath>
#include <limits>

#include "maas/metrics/state_bytes.h"

namespace maas {
namespace {

constexpr uint32_t kNan = 1, kPlusInfinity = 2, kMinusInfinity = 4, kNegative = 8;
constexpr int kLowestExponent = -1074;

// The magnitude's value rounded to nearest even; chunks are below 2^32, `top` is the last one not zero.
double round_magnitude(const int64_t* chunks, int top) {
  const int high_bit = 32 * top + std::bit_width(static_cast<uint64_t>(chunks[top])) - 1;
  const int drop = high_bit - 52;  // bits below the mantissa
  const auto bit_field = [&](int first, int bits) {
    uint64_t field = 0;
    for (int i = 0; i < bits; ++i) {
      const int at = first + i;
      field |= static_cast<uint64_t>((chunks[at / 32] >> (at % 32)) & 1) << i;
    }
    return field;
  };
  if (drop <= 0) return std::ldexp(static_cast<double>(bit_field(0, high_bit + 1)), kLowestExponent);
  uint64_t mantissa = bit_field(drop, 53);
  const bool half = bit_field(drop - 1, 1) != 0;
  bool sticky = (drop - 1) % 32 != 0 && bit_field((drop - 1) / 32 * 32, (drop - 1) % 32) != 0;
  for (int i = 0; !sticky && i < (drop - 1) / 32; ++i) sticky = chunks[i] != 0;
  if (half && (sticky || (mantissa & 1))) ++mantissa;
  return std::ldexp(static_cast<double>(mantissa), drop + kLowestExponent);
}

}  // namespace

void ExactSum::add_special(double value) {
  specials_ |= std::isnan(value) ? kNan : value > 0 ? kPlusInfinity : kMinusInfinity;
}

void ExactSum::carry() {
  for (size_t i = 0; i + 1 < kChunks; ++i) {
    chunks_[i + 1] += chunks_[i] >> 32;  // arithmetic shift: floor, so the remainder is not negative
    chunks_[i] &= 0xffffffff;
  }
  pending_ = 0;
}

bool ExactSum::make_magnitude() {
  carry();
  const bool negative = chunks_[kChunks - 1] < 0;
  if (negative) {
    for (int64_t& chunk : chunks_) chunk = -chunk;
    carry();
  }
  return negative;
}

void ExactSum::merge(const ExactSum& other) {
  ExactSum carried = other;
  carried.carry();
  carry();
  for (size_t i = 0; i < kChunks; ++i) chunks_[i] += carried.chunks_[i];
  carry();
  specials_ |= other.specials_;
}

double ExactSum::value() const {
  const uint32_t infinities = specials_ & (kPlusInfinity | kMinusInfinity);
  if ((specials_ & kNan) || infinities == (kPlusInfinity | kMinusInfinity)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (infinities != 0) return infinities == kPlusInfinity ? HUGE_VAL : -HUGE_VAL;
  ExactSum magnitude = *this;
  const bool negative = magnitude.make_magnitude();
  int top = kChunks - 1;
  while (top >= 0 && magnitude.chunks_[static_cast<size_t>(top)] == 0) --top;
  if (top < 0) return 0.0;
  const double rounded = round_magnitude(magnitude.chunks_.data(), top);
  return negative ? -rounded : rounded;
}

std::vector<double> ExactSum::parts() const {
  std::vector<double> parts;
  ExactSum rest = *this;
  for (double part = rest.value(); part != 0 && std::isfinite(part); part = rest.value()) {
    parts.push_back(part);
    rest.add(-part);
  }
  return parts;
}

// u8 flags, u8 first chunk, u8 count, count x u32 chunks of the magnitude, the outer two not zero.
void ExactSum::write(StateWriter& out) const {
  ExactSum magnitude = *this;
  const bool negative = magnitude.make_magnitude();
  size_t first = 0, end = kChunks;
  while (end > 0 && magnitude.chunks_[end - 1] == 0) --end;
  while (first < end && magnitude.chunks_[first] == 0) ++first;
  if (first == end) first = end = 0;
  out.put(static_cast<uint8_t>(specials_ | (negative ? kNegative : 0)));
  out.put(static_cast<uint8_t>(first));
  out.put(static_cast<uint8_t>(end - first));
  for (size_t i = first; i < end; ++i) out.put(static_cast<uint32_t>(magnitude.chunks_[i]));
}

void ExactSum::read(StateReader& in) {
  *this = ExactSum();
  const uint32_t flags = in.get<uint8_t>();
  const size_t first = in.get<uint8_t>();
  const size_t count = in.get<uint8_t>();
  in.require(flags < 16 && first + count <= kChunks, "a sum inside its fixed-point range");
  in.require(count > 0 || (first == 0 && !(flags & kNegative)), "one form of zero");
  for (size_t i = first; i < first + count; ++i) chunks_[i] = in.get<uint32_t>();
  in.require(count == 0 || (chunks_[first] != 0 && chunks_[first + count - 1] != 0), "no outer zero chunk");
  // 2^64 of the largest doubles need 18 bits of the last chunk; more would leave no room to add.
  in.require(chunks_[kChunks - 1] < (int64_t{1} << 30), "a sum inside its fixed-point range");
  if (flags & kNegative) {
    for (int64_t& chunk : chunks_) chunk = -chunk;
    carry();
  }
  specials_ = flags & ~kNegative;
}

}  // namespace maas
