#include "maas/nn/loss.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "maas/base/error.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"

namespace maas {

namespace {

struct LossName {
  std::string_view name;
  LossKind kind;
};

// Of each kind the full name first.
constexpr LossName kNames[] = {
    {"mean_squared_error", LossKind::kMeanSquaredError},
    {"mse", LossKind::kMeanSquaredError},
    {"mean_absolute_error", LossKind::kMeanAbsoluteError},
    {"mae", LossKind::kMeanAbsoluteError},
    {"huber", LossKind::kHuber},
    {"binary_crossentropy", LossKind::kBinaryCrossentropy},
    {"bce", LossKind::kBinaryCrossentropy},
    {"categorical_crossentropy", LossKind::kCategoricalCrossentropy},
    {"sparse_categorical_crossentropy", LossKind::kSparseCategoricalCrossentropy},
    {"hinge", LossKind::kHinge},
    {"squared_hinge", LossKind::kSquaredHinge},
    {"poisson", LossKind::kPoisson},
    {"kl_divergence", LossKind::kKlDivergence},
    {"kld", LossKind::kKlDivergence},
};

// Values of one shard at least: what costs more than to wake a thread.
constexpr size_t kShardValues = 65536;
constexpr size_t kMaxShards = 64;

template <class T>
Shards shards_of(const LossBatch<T>& batch) {
  const size_t block = std::max<size_t>(1, kShardValues / std::max<size_t>(1, batch.prediction.ld()));
  return make_shards(batch.prediction.rows, (block + 63) / 64 * 64, kMaxShards);
}

// Sums of one block of rows each, met in one tree.
template <class Fn>
double sum_shards(const Shards& shards, Fn sum) {
  if (shards.rows == 0) return 0;
  double sums[kMaxShards];
  if (shards.count() == 1) return sum(0, shards.rows);
  parallel_for(shards.count(), [&](size_t shard, int) {
    sums[shard] = sum(shards.begin(shard), shards.end(shard) - shards.begin(shard));
  });
  combine_tree(sums, shards.count(), 1);
  return sums[0];
}

// Eight running sums, so that additions need not wait for each other.
template <class T>
double sum_weights(const T* weight, size_t n) {
  double sums[8] = {};
  for (size_t i = 0; i < n; ++i) sums[i % 8] += static_cast<double>(weight[i]);
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

template <class T>
LossRows<T> rows_of(const LossOptions& options, const LossBatch<T>& batch, size_t first, size_t rows) {
  LossRows<T> out;
  out.kind = options.kind;
  out.from_logits = options.from_logits;
  out.label_smoothing = static_cast<T>(options.label_smoothing);
  out.delta = static_cast<T>(options.delta);
  out.rows = rows;
  out.cols = batch.prediction.cols;
  out.ld = batch.prediction.ld();
  out.target_ld = batch.target.ld();
  out.prediction = batch.prediction.row(first);
  out.target = batch.target.row(first);
  out.weight = batch.weight == nullptr ? nullptr : batch.weight + first;
  out.gradient = batch.gradient ? batch.gradient.row(first) : nullptr;
  return out;
}

}  // namespace

LossKind loss_by_name(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const LossName& n) { return n.name == name; });
  if (found != std::end(kNames)) return found->kind;
  std::string known;
  for (const LossName& n : kNames) known += (known.empty() ? "" : ", ") + std::string(n.name);
  throw_invalid("loss", "expected one of " + known + ", got \"" + std::string(name) + "\"");
}

size_t target_cols(LossKind kind, size_t cols) {
  return kind == LossKind::kSparseCategoricalCrossentropy ? 1 : cols;
}

template <class T>
LossSum compute_loss(const LossOptions& options, const LossBatch<T>& batch) {
  const size_t cols = batch.prediction.cols;
  const double scale = sums_columns(options.kind) ? options.scale : options.scale / static_cast<double>(cols);
  const Shards shards = shards_of(batch);
  LossSum out;
  out.weight = static_cast<double>(batch.prediction.rows);
  if (options.mean_by_weight && batch.weight != nullptr) {
    out.weight = sum_shards(
        shards, [&](size_t first, size_t rows) { return sum_weights(batch.weight + first, rows); });
  }
  const double gradient_scale = out.weight == 0 ? 0 : scale * options.gradient_scale / out.weight;
  out.loss = scale * sum_shards(shards, [&](size_t first, size_t rows) {
               LossRows<T> block = rows_of(options, batch, first, rows);
               block.gradient_scale = static_cast<T>(gradient_scale);
               return sum_loss(block);
             });
  return out;
}

template LossSum compute_loss(const LossOptions&, const LossBatch<float>&);
template LossSum compute_loss(const LossOptions&, const LossBatch<double>&);

}  // namespace maas
