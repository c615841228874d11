#include "maas/program/steps/key_table.h"

#include <algorithm>
#include <cstring>

namespace maas {

namespace {

constexpr size_t kMostProbes = 8;
constexpr size_t kFewTexts = 4;  // compared one by one
// Factors of multiplicative hashing, tried in turn: odd, of irregular bits.
constexpr uint64_t kFactors[] = {0x9e3779b97f4a7c15u, 0xc2b2ae3d27d4eb4fu, 0xd6e8feb86659fd93u,
                                 0xa0761d6478bd642fu};

// Eight bytes a step, each folded by a full product.
uint64_t hash_text(std::string_view text) {
  const auto fold = [](uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  const char* data = text.data();
  size_t left = text.size();
  uint64_t hash = kFactors[0] ^ left;
  for (; left >= 8; data += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    hash = fold(hash ^ word, kFactors[1]);
  }
  uint64_t word = 0;
  for (size_t i = 0; i < left; ++i) word = word << 8 | static_cast<unsigned char>(data[i]);
  return fold(hash ^ word, kFactors[2]);
}

// Of equal keys in a stably sorted list the first or the last.
template <class Item, class Same>
void keep_one(std::vector<Item>& sorted, Repeated repeated, Same same) {
  if (repeated == Repeated::kLast) std::reverse(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
  if (repeated == Repeated::kLast) std::reverse(sorted.begin(), sorted.end());
}

}  // namespace

NumberTable::NumberTable(const std::vector<uint64_t>& keys, Repeated repeated) {
  keys_.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) keys_.push_back({keys[i], static_cast<uint32_t>(i)});
  std::stable_sort(keys_.begin(), keys_.end(), [](const Slot& a, const Slot& b) { return a.key < b.key; });
  keep_one(keys_, repeated, [](const Slot& a, const Slot& b) { return a.key == b.key; });
  if (keys_.empty() || make_range()) return;
  for (const uint64_t factor : kFactors) {
    if (make_slots(factor)) return;
  }
  slots_.assign(1, {0, kAbsent});
  factor_ = 0;
}

// One place a value from the least to the greatest key. As signed numbers, so that -1 stands beside 0.
bool NumberTable::make_range() {
  const auto below = [](const Slot& a, const Slot& b) {
    return static_cast<int64_t>(a.key) < static_cast<int64_t>(b.key);
  };
  const auto [least, greatest] = std::minmax_element(keys_.begin(), keys_.end(), below);
  const uint64_t span = greatest->key - least->key;
  if (span >= 4 * keys_.size() + 16) return false;
  least_ = least->key;
  places_.assign(span + 1, kAbsent);
  for (const Slot& slot : keys_) places_[slot.key - least_] = slot.place;
  return true;
}

// False where a key would lie more than kMostProbes away from its slot.
bool NumberTable::make_slots(uint64_t factor) {
  const size_t size = std::bit_ceil(std::max<size_t>(16, keys_.size() * 4));
  shift_ = 64 - std::countr_zero(size);
  factor_ = factor;
  slots_.assign(size + kMostProbes, {0, kAbsent});
  for (const Slot& key : keys_) {
    size_t at = key.key * factor_ >> shift_;
    const size_t end = at + kMostProbes;
    while (at < end && slots_[at].place != kAbsent) ++at;
    if (at == end) return false;
    slots_[at] = key;
  }
  return true;
}

uint32_t NumberTable::find_hashed(uint64_t key) const noexcept {
  if (factor_ != 0) {
    const Slot* slot = slots_.data() + (key * factor_ >> shift_);
    for (const Slot* end = slot + kMostProbes; slot < end && slot->place != kAbsent; ++slot) {
      if (slot->key == key) return slot->place;
    }
    return kAbsent;
  }
  const auto at = std::lower_bound(keys_.begin(), keys_.end(), key,
                                   [](const Slot& slot, uint64_t wanted) { return slot.key < wanted; });
  return at != keys_.end() && at->key == key ? at->place : kAbsent;
}

TextTable::TextTable(std::vector<std::string> keys, Repeated repeated) : keys_(std::move(keys)) {
  sorted_.resize(keys_.size());
  for (size_t i = 0; i < keys_.size(); ++i) sorted_[i] = static_cast<uint32_t>(i);
  std::stable_sort(sorted_.begin(), sorted_.end(),
                   [this](uint32_t a, uint32_t b) { return keys_[a] < keys_[b]; });
  keep_one(sorted_, repeated, [this](uint32_t a, uint32_t b) { return keys_[a] == keys_[b]; });
  if (sorted_.size() > kFewTexts && !make_slots()) slots_.clear();
}

bool TextTable::make_slots() {
  const size_t size = std::bit_ceil(sorted_.size() * 4);
  mask_ = size - 1;
  slots_.assign(size + kMostProbes, {0, kAbsent});
  for (const uint32_t place : sorted_) {
    const uint64_t hash = hash_text(keys_[place]);
    size_t at = hash & mask_;
    const size_t end = at + kMostProbes;
    while (at < end && slots_[at].place != kAbsent) ++at;
    if (at == end) return false;
    slots_[at] = {hash, place};
  }
  return true;
}

uint32_t TextTable::find(std::string_view key) const noexcept {
  if (sorted_.size() <= kFewTexts) {
    for (const uint32_t place : sorted_) {
      if (keys_[place] == key) return place;
    }
    return kAbsent;
  }
  if (slots_.empty()) return find_sorted(key);
  const uint64_t hash = hash_text(key);
  const Slot* slot = slots_.data() + (hash & mask_);
  for (const Slot* end = slot + kMostProbes; slot < end && slot->place != kAbsent; ++slot) {
    if (slot->hash == hash && keys_[slot->place] == key) return slot->place;
  }
  return kAbsent;
}

uint32_t TextTable::find_sorted(std::string_view key) const noexcept {
  const auto at = std::lower_bound(
      sorted_.begin(), sorted_.end(), key,
      [this](uint32_t place, std::string_view wanted) { return std::string_view(keys_[place]) < wanted; });
  return at != sorted_.end() && keys_[*at] == key ? *at : kAbsent;
}

}  // namespace maas
