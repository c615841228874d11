#include "maas/serve/live_profile.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <string_view>
#include <utility>

#include "maas/base/error.h"

namespace maas::serve {

namespace {

NumberType number_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return NumberType::kF32;
    case DType::kFloat64: return NumberType::kF64;
    case DType::kInt64: return NumberType::kI64;
    case DType::kInt32: return NumberType::kI32;
    case DType::kBool:
    case DType::kString: return NumberType::kU8;
  }
  return NumberType::kU8;
}

// Element `item` of each row.
ProfileColumn column(const void* data, DType dtype, size_t rows, ptrdiff_t stride, ptrdiff_t item_stride,
                     size_t item) {
  const std::byte* first = static_cast<const std::byte*>(data) + item_stride * static_cast<ptrdiff_t>(item);
  if (dtype == DType::kString)
    return TextView{reinterpret_cast<const std::string_view*>(first), rows, stride};
  return ArrayView{first, rows, stride, number_type(dtype)};
}

}  // namespace

LiveProfile::LiveProfile(const Program& program, const std::vector<ProfiledColumn>& columns,
                         const ProfileState& state)
    : empty_(state.empty()), total_(state.empty()) {
  if (columns.size() != state.columns().size()) throw_invalid("profile", "expected a state a column");
  for (const ProfiledColumn& each : columns) {
    const std::vector<Value>& values = each.is_output ? program.outputs() : program.inputs();
    const auto found = std::find_if(values.begin(), values.end(),
                                    [&](const Value& value) { return value.name == each.field; });
    Place place;
    place.is_output = each.is_output;
    place.item = each.item;
    if (found != values.end() && is_batched(found->type.shape) && each.item < elements(found->type.shape)) {
      place.index = static_cast<size_t>(found - values.begin());
      place.row_size = static_cast<ptrdiff_t>(elements(found->type.shape));
      place.dtype = found->type.dtype;
    }
    places_.push_back(place);
  }
}

void LiveProfile::count(const InputArray* inputs, std::span<void* const> outputs, size_t rows) noexcept try {
  if (rows == 0) return;
  Shard& shard = shards_[shard_of_this_thread()];
  const std::lock_guard lock(shard.mutex);
  if (!shard.state) {
    shard.batch.resize(places_.size());
    shard.state.emplace(empty_.empty());
  }
  view(inputs, outputs, rows, shard.batch);
  shard.state->update(shard.batch.data());
} catch (const std::bad_alloc&) {
  return;
}

void LiveProfile::view(const InputArray* inputs, std::span<void* const> outputs, size_t rows,
                       std::vector<ProfileColumn>& batch) const noexcept {
  for (size_t k = 0; k < places_.size(); ++k) {
    const Place& place = places_[k];
    if (place.index == kNowhere) continue;
    if (place.is_output) {
      const auto size = static_cast<ptrdiff_t>(item_size(place.dtype));
      batch[k] = column(outputs[place.index], place.dtype, rows, size * place.row_size, size, place.item);
    } else {
      const InputArray& input = inputs[place.index];
      batch[k] = column(input.data, input.dtype, rows, input.row_stride, input.item_stride, place.item);
    }
  }
}

ProfileState LiveProfile::collect() {
  const std::lock_guard total_lock(mutex_);
  ProfileState taken = empty_.empty();
  for (Shard& shard : shards_) {
    {
      const std::lock_guard lock(shard.mutex);
      if (!shard.state) continue;
      std::swap(*shard.state, taken);
    }
    total_.merge(taken);
    taken = empty_.empty();
  }
  return total_;
}

size_t LiveProfile::shard_of_this_thread() {
  static std::atomic<size_t> threads{0};
  thread_local const size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kShards;
  return mine;
}

}  // namespace maas::serve
