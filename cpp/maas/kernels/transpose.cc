#include "maas/kernels/transpose.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"

// Compiled for the baseline alone: the stores, a block of four rows each, are what it waits for.
HWY_BEFORE_NAMESPACE();
namespace maas {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// Rows of a tile: one cache line of each column.
constexpr size_t kTileBytes = 64;

template <class T>
struct Columns {
  const std::byte* x;
  ptrdiff_t column_bytes;
  const T* at(size_t i, size_t j) const {
    return reinterpret_cast<const T*>(x + static_cast<ptrdiff_t>(j) * column_bytes + i * sizeof(T));
  }
};

// Four rows of four columns.
void transpose_block(const Columns<uint32_t>& from, size_t i, size_t j, uint32_t* to, size_t cols) {
  const hn::FixedTag<uint32_t, 4> d;
  const hn::Repartition<uint64_t, decltype(d)> pairs;
  const auto c0 = hn::LoadU(d, from.at(i, j)), c1 = hn::LoadU(d, from.at(i, j + 1));
  const auto c2 = hn::LoadU(d, from.at(i, j + 2)), c3 = hn::LoadU(d, from.at(i, j + 3));
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, c0, c1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, c2, c3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, c0, c1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, c2, c3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + cols);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * cols);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * cols);
}

// Two rows of two columns.
void transpose_block(const Columns<uint64_t>& from, size_t i, size_t j, uint64_t* to, size_t cols) {
  const hn::FixedTag<uint64_t, 2> d;
  const auto c0 = hn::LoadU(d, from.at(i, j)), c1 = hn::LoadU(d, from.at(i, j + 1));
  hn::StoreU(hn::InterleaveLower(d, c0, c1), d, to);
  hn::StoreU(hn::InterleaveUpper(d, c0, c1), d, to + cols);
}

template <class T>
void transpose(Columns<T> from, size_t rows, size_t cols, T* out) {
  constexpr size_t kSide = 16 / sizeof(T), kTile = kTileBytes / sizeof(T);
  const size_t whole_cols = cols / kSide * kSide;
  for (size_t begin = 0; begin < rows; begin += kTile) {
    const size_t end = std::min(rows, begin + kTile);
    const size_t whole_end = begin + (end - begin) / kSide * kSide;
    for (size_t j = 0; j < whole_cols; j += kSide) {
      for (size_t i = begin; i < whole_end; i += kSide) transpose_block(from, i, j, out + i * cols + j, cols);
      for (size_t i = whole_end; i < end; ++i) {
        for (size_t k = j; k < j + kSide; ++k) std::memcpy(out + i * cols + k, from.at(i, k), sizeof(T));
      }
    }
    for (size_t j = whole_cols; j < cols; ++j) {
      for (size_t i = begin; i < end; ++i) std::memcpy(out + i * cols + j, from.at(i, j), sizeof(T));
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE

void transpose_columns(const std::byte* x, ptrdiff_t column_bytes, size_t item_bytes, size_t rows,
                       size_t cols, std::byte* out) {
  namespace target = HWY_NAMESPACE;
  if (item_bytes == 4) {
    target::transpose<uint32_t>({x, column_bytes}, rows, cols, reinterpret_cast<uint32_t*>(out));
  } else {
    target::transpose<uint64_t>({x, column_bytes}, rows, cols, reinterpret_cast<uint64_t*>(out));
  }
}

}  // namespace maas
HWY_AFTER_NAMESPACE();
