#include "maas/program/steps/key_table.h"

#include <algorithm>
#include <cstring>

namespace maas {

namespace {

constexpr size_t kMostProbes = 8;
constexpr size_t kShort = 8;  // bytes of a text that are compared as one number
// Factors of multiplicative hashing, tried in turn: odd, of irregular bits.
constexpr uint64_t kFactors[] = {0x9e3779b97f4a7c15u, 0xc2b2ae3d27d4eb4fu, 0xd6e8feb86659fd93u,
                                 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu, 0x8ebc6af09c88c6e3u,
                                 0x589965cc75374cc3u, 0x1d8e4e27c47d124fu};

template <class T>
uint64_t load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// Different for different texts of one length; at most kShort bytes.
uint64_t short_word(const char* data, size_t length) {
  if (length >= 4) return load<uint32_t>(data) | load<uint32_t>(data + length - 4) << 32;
  if (length == 0) return 0;
  return load<uint8_t>(data) | load<uint8_t>(data + length / 2) << 8 | load<uint8_t>(data + length - 1) << 16;
}

// Eight bytes a step, each folded by a full product; the last step may overlap the one before.
uint64_t long_word(const char* data, size_t length) {
  uint64_t hash = kFactors[0] ^ length;
  const auto fold = [&hash](uint64_t word) {
    const auto product = static_cast<unsigned __int128>(hash ^ word) * kFactors[1];
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  for (size_t i = 0; i + 8 < length; i += 8) fold(load<uint64_t>(data + i));
  fold(load<uint64_t>(data + length - 8));
  return hash;
}

uint64_t text_word(std::string_view text) {
  return text.size() <= kShort ? short_word(text.data(), text.size()) : long_word(text.data(), text.size());
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
  // The factor that puts most keys at home; with few keys that is often all of them.
  size_t least = sorted_.size() * kMostProbes;
  uint64_t best = 0;
  for (const uint64_t factor : kFactors) {
    const size_t astray = make_slots(factor);
    if (astray < least) least = astray, best = factor;
    if (astray == 0) return;
  }
  slots_.clear();
  if (best != 0) make_slots(best);
}

size_t TextTable::home(uint64_t word, uint32_t length) const noexcept {
  return (word ^ (length * kFactors[2])) * factor_ >> shift_;
}

// How far keys lie from their slots, summed; kMostProbes a key where one lies too far away.
size_t TextTable::make_slots(uint64_t factor) {
  const size_t size = std::bit_ceil(std::max<size_t>(4, sorted_.size()) * 4);
  shift_ = 64 - std::countr_zero(size);
  factor_ = factor;
  slots_.assign(size + kMostProbes, {0, 0, kAbsent});
  size_t astray = 0;
  for (const uint32_t place : sorted_) {
    const auto length = static_cast<uint32_t>(keys_[place].size());
    const uint64_t word = text_word(keys_[place]);
    const size_t begin = home(word, length), end = begin + kMostProbes;
    size_t at = begin;
    while (at < end && slots_[at].place != kAbsent) ++at;
    if (at == end) return sorted_.size() * kMostProbes;
    slots_[at] = {word, length, place};
    astray += at - begin;
  }
  return astray;
}

uint32_t TextTable::find(std::string_view key) const noexcept {
  if (slots_.empty()) return find_sorted(key);
  const auto length = static_cast<uint32_t>(key.size());
  const uint64_t word = text_word(key);
  const Slot* slot = slots_.data() + home(word, length);
  for (const Slot* end = slot + kMostProbes; slot < end && slot->place != kAbsent; ++slot) {
    if (slot->word == word && slot->length == length && (key.size() <= kShort || keys_[slot->place] == key)) {
      return slot->place;
    }
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
