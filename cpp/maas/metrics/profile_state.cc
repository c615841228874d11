#include "maas/metrics/profile_state.h"

namespace maas {
namespace {

void update_column(HistogramState& state, const ProfileColumn& batch) noexcept {
  if (const auto* texts = std::get_if<TextView>(&batch)) {
    state.add_missing(texts->size);
  } else if (const auto* numbers = std::get_if<ArrayView>(&batch)) {
    state.update(*numbers);
  }
}

void update_column(CategoryState& state, const ProfileColumn& batch) noexcept {
  if (const auto* texts = std::get_if<TextView>(&batch)) {
    state.update(*texts);
  } else if (const auto* numbers = std::get_if<ArrayView>(&batch)) {
    state.update(*numbers);
  }
}

bool has_data(const ProfileColumn& batch) noexcept {
  const auto* texts = std::get_if<TextView>(&batch);
  const auto* numbers = std::get_if<ArrayView>(&batch);
  return (texts && texts->data) || (numbers && numbers->data);
}

}  // namespace

void ProfileState::update(const ProfileColumn* batch) noexcept {
  for (size_t k = 0; k < columns_.size(); ++k) {
    if (!has_data(batch[k])) continue;
    if (auto* histogram = std::get_if<HistogramState>(&columns_[k])) {
      update_column(*histogram, batch[k]);
    } else if (auto* categories = std::get_if<CategoryState>(&columns_[k])) {
      update_column(*categories, batch[k]);
    }
  }
}

void ProfileState::merge(const ProfileState& other) {
  if (columns_.size() != other.columns_.size()) throw_invalid("profile", "expected one of the same columns");
  std::vector<ColumnState> merged = columns_;
  for (size_t k = 0; k < merged.size(); ++k) {
    if (merged[k].index() != other.columns_[k].index()) {
      throw_invalid("profile", "expected columns of the same kinds");
    }
    std::visit([&](auto& mine) { mine.merge(std::get<std::decay_t<decltype(mine)>>(other.columns_[k])); },
               merged[k]);
  }
  columns_ = std::move(merged);
}

ProfileState ProfileState::empty() const {
  std::vector<ColumnState> columns;
  columns.reserve(columns_.size());
  for (const ColumnState& column : columns_) {
    columns.push_back(std::visit([](const auto& state) { return ColumnState(state.empty()); }, column));
  }
  return ProfileState(std::move(columns));
}

}  // namespace maas
