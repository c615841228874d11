#include "maas/wire/message.h"

#include <algorithm>
#include <new>

namespace maas::wire {

namespace {
constexpr size_t kFirstBlock = 4096;
}  // namespace

void* ValueRoom::take(size_t bytes) {
  if (bytes > limit_ - std::min(total_, limit_)) return nullptr;
  bytes = (bytes + 7) & ~size_t{7};
  if (blocks_.empty() || bytes > blocks_.back().size - used_) {
    const size_t size = std::max({bytes, kFirstBlock, blocks_.empty() ? 0 : 2 * blocks_.back().size});
    if (size > kKeptBytes && may_take_ && !may_take_(size)) throw std::bad_alloc();
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    used_ = 0;
  }
  void* place = blocks_.back().bytes.get() + used_;
  used_ += bytes;
  total_ += bytes;
  return place;
}

void ValueRoom::reset() {
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);  // the last is the largest
  used_ = total_ = 0;
}

void ValueRoom::give_back(size_t kept) {
  if (!blocks_.empty() && blocks_.back().size > kept) blocks_.clear();
}

void Request::clear() {
  model = version = id = {};
  inputs.clear();
  outputs.clear();
  binary_output = false;
  timeout_us = 0;
  room.reset();
}

void Request::give_back() { room.give_back(kKeptBytes); }

}  // namespace maas::wire
