// Stable radix sort of items with an unsigned key, for kernels/sort.cc. Four counting passes order the items
// by the leading 32 bits in which their keys differ; an insertion pass then puts right the few neighbours
// those bits cannot tell apart. Keys in tight clusters, where they are many, get a pass for every byte.
// Floor: each pass reads every item twice and writes it once.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {

inline uint64_t radix_key(uint64_t item) { return item; }

namespace detail {

constexpr size_t kSortShard = 1 << 16;  // items a task
constexpr int kDigitBits = 8;           // 256 places to write at once; wider digits overflow L1 and the TLB
constexpr size_t kDigits = size_t{1} << kDigitBits;
constexpr int kLeadingPasses = 4;

template <class Key>
size_t digit_of(Key key, int shift) {
  return static_cast<size_t>(key >> shift) & (kDigits - 1);
}

// Number of low key bits in which the items differ: all above are common.
template <class Item>
int differing_bits(const Item* items, size_t n) {
  using Key = decltype(radix_key(items[0]));
  const Key first = radix_key(items[0]);
  std::atomic<Key> difference{0};
  const Shards shards = make_shards(n, kSortShard);
  parallel_for(shards.count(), [&](size_t shard, int) {
    Key own = 0;
    const size_t end = shards.end(shard);
    for (size_t i = shards.begin(shard); i < end; ++i) own |= radix_key(items[i]) ^ first;
    difference.fetch_or(own, std::memory_order_relaxed);
  });
  return static_cast<int>(std::bit_width(difference.load()));
}

using DigitCounts = std::array<uint32_t, kDigits>;

// The loops are functions of plain values: within a lambda the stores would make the compiler reload all it
// captured, at twice the time.
template <class Item>
DigitCounts count_digits(const Item* begin, const Item* end, int shift) {
  DigitCounts counts{};
  for (; begin != end; ++begin) ++counts[digit_of(radix_key(*begin), shift)];
  return counts;
}

template <class Item>
void scatter_by_digit(const Item* begin, const Item* end, int shift, DigitCounts place, Item* to) {
  for (; begin != end; ++begin) to[place[digit_of(radix_key(*begin), shift)]++] = *begin;
}

// One stable pass by the digit of the key that begins at bit `shift`.
template <class Item>
void counting_pass(const Item* from, Item* to, size_t n, int shift) {
  const Shards shards = make_shards(n, kSortShard);
  std::vector<DigitCounts> places(
      shards.count());  // items of a digit in a shard, then where the next one goes
  parallel_for(shards.count(), [&](size_t shard, int) {
    places[shard] = count_digits(from + shards.begin(shard), from + shards.end(shard), shift);
  });
  uint32_t begin = 0;
  for (size_t digit = 0; digit < kDigits; ++digit) {
    for (DigitCounts& place : places) begin += std::exchange(place[digit], begin);
  }
  parallel_for(shards.count(), [&](size_t shard, int) {
    scatter_by_digit(from + shards.begin(shard), from + shards.end(shard), shift, places[shard], to);
  });
}

// Sorts items by insertion. Returns false when that takes more than a few moves an item, leaving them a
// permutation in which equal keys keep their order.
template <class Item>
bool insertion_sort(Item* items, size_t n) {
  size_t budget = 8 * n + 64;
  for (size_t i = 1; i < n; ++i) {
    const Item item = items[i];
    size_t at = i;
    for (; at > 0 && radix_key(items[at - 1]) > radix_key(item); --at) items[at] = items[at - 1];
    items[at] = item;
    if (i - at > budget) return false;
    budget -= i - at;
  }
  return true;
}

// Insertion sort of items that are in order from bit `low` up. Pieces are cut where those bits change.
template <class Item>
bool finish_by_insertion(Item* items, size_t n, int low) {
  const Shards shards = make_shards(n, kSortShard);
  std::vector<size_t> cuts(shards.count() + 1, n);
  for (size_t shard = 0; shard < shards.count(); ++shard) {
    size_t cut = shards.begin(shard);
    while (cut > 0 && cut < n && radix_key(items[cut]) >> low == radix_key(items[cut - 1]) >> low) ++cut;
    cuts[shard] = cut;
  }
  std::atomic<bool> sorted{true};
  parallel_for(shards.count(), [&](size_t shard, int) {
    if (!insertion_sort(items + cuts[shard], cuts[shard + 1] - cuts[shard])) sorted = false;
  });
  return sorted;
}

}  // namespace detail

// Sorts items[0, n), n < 2^32, by radix_key(item), found by argument-dependent lookup. `scratch` holds n
// items too.
template <class Item>
void radix_sort(Item* items, Item* scratch, size_t n) {
  if (n <= 32 && detail::insertion_sort(items, n)) return;
  const int width = detail::differing_bits(items, n);
  const auto passes_from = [&](int low) {
    Item* from = items;
    Item* to = scratch;
    for (int shift = low; shift < width; shift += detail::kDigitBits) {
      detail::counting_pass(from, to, n, shift);
      std::swap(from, to);
    }
    if (from != items) std::copy_n(from, n, items);
  };
  const int low = std::max(0, width - detail::kLeadingPasses * detail::kDigitBits);
  passes_from(low);
  if (low > 0 && !detail::finish_by_insertion(items, n, low)) passes_from(0);
}

}  // namespace maas
