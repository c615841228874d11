#include "maas/nn/evaluation.h"

#include <algorithm>
#include <cstring>

#include "maas/base/error.h"
#include "maas/base/thread_pool.h"

namespace maas {

namespace {

// Of what a block holds besides the program's own scratch.
constexpr size_t kBlockBytes = size_t{1} << 20;
constexpr size_t kLeastRows = 64, kMostRows = 8192;

size_t rows_of_block(size_t row_bytes) {
  return std::clamp(kBlockBytes / row_bytes / kLeastRows * kLeastRows, kLeastRows, kMostRows);
}

}  // namespace

template <class T>
Predictions<T>::Predictions(const Graph& graph, const std::vector<std::string>& values, size_t cols,
                            const RowSource& x)
    : program_(compile(graph, {.outputs = values})),
      x_(x),
      in_place_(widens(x.dtype, program_.inputs()[0].type.dtype)),
      cols_(cols),
      block_rows_(std::min(x.rows, rows_of_block((x.cols + 2 * row_stride<T>(cols)) * sizeof(double)))) {
  for (int i = 0; i < num_threads(); ++i) scratches_.emplace_back(program_);
  const bool floats = is_float(program_.inputs()[0].type.dtype);
  if (!in_place_ && floats) converted_ = AlignedBuffer<T>(block_rows_ * row_stride<T>(x.cols));
  if (!in_place_ && !floats) indices_ = AlignedBuffer<int64_t>(block_rows_ * x.cols);
  for (size_t i = 0; i < values.size(); ++i) {
    outputs_.emplace_back(block_rows_ * cols);
    padded_.emplace_back(block_rows_ * row_stride<T>(cols));
  }
}

template <class T>
InputArray Predictions<T>::input(size_t first, size_t rows) {
  if (in_place_) {
    const char* data = static_cast<const char*>(x_.data) + static_cast<ptrdiff_t>(first) * x_.row_stride;
    return {data, x_.dtype, x_.row_stride, x_.item_stride};
  }
  if (indices_.size() > 0) {
    take_indices(x_, nullptr, first, rows, indices_.data());
    const auto item = static_cast<ptrdiff_t>(sizeof(int64_t));
    return {indices_.data(), DType::kInt64, static_cast<ptrdiff_t>(x_.cols) * item, item};
  }
  const BatchMatrix<T> batch{converted_.data(), rows, x_.cols};
  take_rows(x_, nullptr, first, batch);
  const auto item = static_cast<ptrdiff_t>(sizeof(T));
  return {batch.data, dtype_of<T>, static_cast<ptrdiff_t>(batch.ld()) * item, item};
}

template <class T>
void Predictions<T>::run(size_t first, size_t rows) {
  rows_ = rows;
  std::vector<void*> places;
  for (AlignedBuffer<T>& output : outputs_) places.push_back(output.data());
  const InputArray array = input(first, rows);
  const RunResult result = program_.run_rows(&array, rows, places.data(), scratches_);
  if (!result) throw Error(ErrorCode::kInvalidArgument, "evaluate", program_.message(result));
}

template <class T>
BatchMatrix<T> Predictions<T>::values(size_t which) {
  BatchMatrix<T> batch{outputs_[which].data(), rows_, cols_};
  if (batch.ld() == cols_) return batch;
  batch.data = padded_[which].data();
  for (size_t i = 0; i < rows_; ++i) {
    std::memcpy(batch.row(i), outputs_[which].data() + i * cols_, cols_ * sizeof(T));
  }
  return batch;
}

template class Predictions<float>;
template class Predictions<double>;

}  // namespace maas
