#include "maas/linear/sgd.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <type_traits>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/csr.h"
#include "maas/kernels/sgd_sparse.h"
#include "maas/linear/row_order.h"

namespace maas {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSmallestEta = 1e-6;  // the adaptive schedule divides no further

template <class X>
inline constexpr bool kSparse = false;
template <class T>
inline constexpr bool kSparse<CsrView<T>> = true;

// Values of a row that are gathered: none of sparse rows, which are learned where they are.
template <class X>
size_t gathered_columns(const X& x) {
  return kSparse<X> ? 0 : x.cols;
}

// Sparse rows learned at a time: so many that looking at all weights in between costs little.
template <class T>
size_t sparse_chunk_rows(const CsrView<T>& x) {
  const size_t row = x.nonzeros() / std::max<size_t>(1, x.rows) + 1;
  return std::clamp<size_t>(4 * x.cols / row, 4096, size_t{1} << 18);
}

// Rows gathered and learned at a time, in whole blocks (see sgd_block_rows): up to 2 MiB, some 50 µs. Ctrl-C
// and overflow are looked at in between.
size_t chunk_rows(size_t rows, size_t cols) {
  const size_t block = sgd_block_rows(cols);
  const size_t most = std::clamp<size_t>((size_t{1} << 18) / sgd_padded(cols), block, 4096) / block * block;
  return std::min(most, rows);
}

// Rows that one task gathers: at least 128 KiB, in whole blocks.
size_t piece_rows(size_t cols) {
  const size_t block = sgd_block_rows(cols);
  return std::max<size_t>((size_t{1} << 14) / sgd_padded(cols) / block, 1) * block;
}

// Rows ready to be learned, with what belongs to each.
struct Chunk {
  explicit Chunk(size_t most, size_t cols)
      : rows(most * sgd_padded(cols), 0.0), cross(most), square(most), y(most), weight(most), rates(most) {}

  AlignedBuffer<double> rows, cross, square, y, weight, rates;
  size_t count = 0;
  size_t begin = 0;  // of the order
};

// What a task needs from epoch to epoch beside its weights.
struct Progress {
  bool active = true;
  double eta = 0;           // of the adaptive schedule
  double best = kInfinity;  // objective, or minus the validation score
  size_t epochs_without = 0;
  double loss = 0, penalty = 0;  // sums over this epoch
  bool clipped = false;
  AlignedBuffer<double> y, weight, rates;
  std::vector<double> last_finite;  // weights, then the intercept
};

// While the tasks learn one chunk of rows, other threads gather the next: what a step does not need the
// weights for is off its serial path.
template <class X>
class Fit {
 public:
  Fit(const SgdData<X>& data, const SgdOptions& options, std::vector<SgdTask>& tasks)
      : data_(data),
        options_(options),
        tasks_(tasks),
        progress_(tasks.size()),
        order_(data.train ? data.train.size : data.x.rows),
        chunk_(rows_of_chunk(data.x, order_.size())),
        piece_(kSparse<X> ? chunk_ : piece_rows(data.x.cols)) {
    if constexpr (kSparse<X>) finite_ = csr_finite(data.x);
    for (Progress& p : progress_) {
      p.eta = options.schedule.eta0;
      p.y = AlignedBuffer<double>(chunk_);
      p.weight = AlignedBuffer<double>(chunk_);
      p.rates = AlignedBuffer<double>(chunk_);
    }
    chunks_.emplace_back(chunk_, gathered_columns(data.x));
    if (chunk_ < order_.size()) chunks_.emplace_back(chunk_, gathered_columns(data.x));
  }

  void run() {
    for (size_t epoch = 0; epoch < options_.max_epochs && any_active(); ++epoch) {
      make_order(epoch);
      learn_and_gather(0, 0);
      for (size_t next = chunk_; next < order_.size() + chunk_; next += chunk_) {
        learn_and_gather(tasks_.size(), next);
      }
      epoch_step_ += static_cast<double>(order_.size());
      parallel_for(tasks_.size(), [&](size_t k, int) { finish_epoch(k); });
      check_rows();  // those of the validation too
    }
  }

 private:
  static size_t rows_of_chunk(const X& x, size_t rows) {
    if constexpr (kSparse<X>) {
      return std::min(sparse_chunk_rows(x), rows);
    } else {
      return chunk_rows(rows, x.cols);
    }
  }

  bool any_active() const {
    return std::any_of(progress_.begin(), progress_.end(), [](const Progress& p) { return p.active; });
  }

  // Chunks take turns; row `begin` of the order is the first of its chunk.
  Chunk& chunk_at(size_t begin) { return chunks_[begin / chunk_ % chunks_.size()]; }

  // The first `tasks` tasks learn the chunk before `next`, and the chunk from `next` on is gathered.
  void learn_and_gather(size_t tasks, size_t next) {
    poll_interrupt();
    const size_t count = next < order_.size() ? std::min(chunk_, order_.size() - next) : 0;
    const size_t pieces = (count + piece_ - 1) / piece_;
    if (count > 0) {
      chunk_at(next).count = count;
      chunk_at(next).begin = next;
    }
    parallel_for(tasks + pieces, [&](size_t k, int) {
      if (k < tasks) {
        learn(k, chunk_at(next - chunk_));
      } else {
        const size_t from = (k - tasks) * piece_;
        gather(chunk_at(next), next, from, std::min(piece_, count - from));
      }
    });
    check_rows();
  }

  // On the calling thread, since a row that is not finite is an error and overflow is not.
  void check_rows() const {
    if (!finite_) throw NotFinite("Input X, y or sample_weight");
  }

  // Rows [from, from + count) of the chunk that begins at row `begin` of the order.
  void gather(Chunk& chunk, size_t begin, size_t from, size_t count) {
    const uint32_t* rows = order_.data() + begin + from;
    bool finite = true;
    if constexpr (!kSparse<X>) {
      double* into = chunk.rows.data() + from * sgd_padded(data_.x.cols);
      finite = sgd_gather(data_.x, rows, count, into, chunk.cross.data() + from, chunk.square.data() + from);
    }
    double zero = 0;  // stays 0 while all values are finite
    for (size_t i = 0; i < count; ++i) {
      const double y = data_.y[rows[i]];
      zero += y * 0;
      chunk.y[from + i] = y;
    }
    for (size_t i = 0; data_.weight && i < count; ++i) {
      const double w = data_.weight[rows[i]];
      zero += w * 0;
      chunk.weight[from + i] = w;
    }
    if (!adapts()) {
      const double step = epoch_step_ + static_cast<double>(begin + from);
      options_.schedule.rates(step, count, 0, chunk.rates.data() + from);
    }
    if (!finite || !(zero == 0)) finite_ = false;
  }

  bool adapts() const { return options_.schedule.kind == Schedule::Kind::kAdaptive; }

  void make_order(size_t epoch) {
    if (options_.shuffle) {
      shuffle_rows(order_.size(), data_.x.cols, options_.seed, epoch, order_.data());
    } else {
      std::iota(order_.begin(), order_.end(), 0u);
    }
    if (data_.train) {
      for (uint32_t& row : order_) row = data_.train[row];
    }
  }

  double target(const SgdTask& task, double y) const {
    return !options_.classifies ? y : (y == task.positive ? 1.0 : -1.0);
  }

  bool weighted(const SgdTask& task) const {
    return data_.weight || task.positive_weight != 1 || task.negative_weight != 1;
  }

  // The chunk as this task sees it. A regression without weights reads the chunk itself.
  SgdRows prepare(const SgdTask& task, Progress& p, const Chunk& chunk) const {
    const size_t count = chunk.count;
    SgdRows rows = {chunk.rows.data(),
                    chunk.cross.data(),
                    chunk.square.data(),
                    chunk.y.data(),
                    nullptr,
                    chunk.rates.data(),
                    count};
    if (options_.classifies) {
      for (size_t i = 0; i < count; ++i) p.y[i] = target(task, chunk.y[i]);
      rows.y = p.y.data();
    }
    if (weighted(task)) {
      for (size_t i = 0; i < count; ++i) {
        const double w = data_.weight ? chunk.weight[i] : 1.0;
        p.weight[i] = w * (rows.y[i] > 0 ? task.positive_weight : task.negative_weight);
      }
      rows.weight = p.weight.data();
    }
    if (adapts()) {
      options_.schedule.rates(task.state.step, count, p.eta, p.rates.data());
      rows.eta = p.rates.data();
    }
    return rows;
  }

  void learn(size_t k, const Chunk& chunk) {
    SgdTask& task = tasks_[k];
    Progress& p = progress_[k];
    if (!p.active || task.diverged) return;
    keep(task.state, p);
    const SgdSums sums = steps(prepare(task, p, chunk), chunk, task.state);
    p.loss += sums.loss;
    p.penalty += sums.penalty;
    p.clipped |= sums.clipped;
    if (!task.state.finite()) {
      task.diverged = true;
      task.state.set_weights(p.last_finite.data());
      task.state.intercept = p.last_finite.back();
    }
  }

  SgdSums steps(const SgdRows& rows, const Chunk& chunk, SgdState& state) const {
    if constexpr (kSparse<X>) {
      using T = std::remove_cv_t<std::remove_pointer_t<decltype(data_.x.values)>>;
      const SparseSgdRows<T> sparse = {data_.x,   order_.data() + chunk.begin, rows.y, rows.weight, rows.eta,
                                       rows.count};
      return sgd_sparse_steps(sparse, options_.rules, state);
    } else {
      return sgd_steps(rows, options_.rules, state);
    }
  }

  static void keep(const SgdState& state, Progress& p) {
    p.last_finite.resize(state.cols + 1);
    state.get_weights(p.last_finite.data());
    p.last_finite.back() = state.intercept;
  }

  void finish_epoch(size_t k) {
    SgdTask& task = tasks_[k];
    Progress& p = progress_[k];
    if (!p.active) return;
    ++task.epochs;
    const double rows = static_cast<double>(order_.size());
    const bool passive_aggressive = options_.rules.step != SgdStep::kGradient;
    const double objective = (p.loss + (passive_aggressive ? 0 : p.penalty)) / rows;
    task.loss_curve.push_back(objective);
    // Steps that had to be cut and made nothing better would grow without end.
    if (p.clipped && !(objective < p.best)) task.diverged = true;
    if (task.diverged) {
      p.active = false;
      return;
    }
    const double value = data_.validation ? -validation_score(task) : objective;
    if (value > p.best - options_.tolerance) {
      ++p.epochs_without;
    } else {
      p.epochs_without = 0;
    }
    p.best = std::min(p.best, value);
    p.loss = p.penalty = 0;
    p.clipped = false;
    if (p.epochs_without >= options_.patience) stop_or_slow_down(p);
  }

  void stop_or_slow_down(Progress& p) const {
    if (options_.schedule.kind == Schedule::Kind::kAdaptive && p.eta > kSmallestEta) {
      p.eta /= 5;
      p.epochs_without = 0;
    } else {
      p.active = false;
    }
  }

  // The margins of these rows, a block at a time.
  void score(const SgdTask& task, const std::vector<uint32_t>& rows, std::vector<double>& margins) {
    if constexpr (kSparse<X>) {
      sgd_sparse_margins(data_.x, rows.data(), rows.size(), task.state, margins.data());
    } else {
      score_gathered(task, rows, margins);
    }
  }

  void score_gathered(const SgdTask& task, const std::vector<uint32_t>& rows, std::vector<double>& margins) {
    const size_t block = sgd_block_rows(data_.x.cols);
    AlignedBuffer<double> gathered(block * sgd_padded(data_.x.cols), 0.0), products(2 * block);
    for (size_t begin = 0; begin < rows.size(); begin += block) {
      const size_t count = std::min(block, rows.size() - begin);
      if (!sgd_gather(data_.x, rows.data() + begin, count, gathered.data(), products.data(),
                      products.data() + block)) {
        finite_ = false;
      }
      sgd_margins(gathered.data(), count, task.state, margins.data() + begin);
    }
  }

  // Weighted accuracy of a classifier, weighted R² of a regressor, on the validation rows.
  double validation_score(const SgdTask& task) {
    const size_t n = data_.validation.size;
    std::vector<uint32_t> rows(n);
    std::vector<double> margins(n);
    for (size_t i = 0; i < n; ++i) rows[i] = data_.validation[i];
    score(task, rows, margins);
    double total = 0, right = 0, sum = 0, error = 0;
    for (size_t i = 0; i < n; ++i) {
      const double w = data_.weight ? data_.weight[rows[i]] : 1.0;
      const double y = target(task, data_.y[rows[i]]);
      total += w;
      sum += w * y;
      right += (margins[i] > 0) == (y > 0) ? w : 0;
      error += w * (y - margins[i]) * (y - margins[i]);
    }
    if (options_.classifies) return right / total;
    double spread = 0;
    for (size_t i = 0; i < n; ++i) {
      const double w = data_.weight ? data_.weight[rows[i]] : 1.0;
      const double off = data_.y[rows[i]] - sum / total;
      spread += w * off * off;
    }
    return spread > 0 ? 1 - error / spread : (error > 0 ? 0.0 : 1.0);
  }

  const SgdData<X>& data_;
  const SgdOptions& options_;
  std::vector<SgdTask>& tasks_;
  std::vector<Progress> progress_;
  AlignedBuffer<uint32_t> order_;
  size_t chunk_, piece_;                                           // rows
  std::vector<Chunk> chunks_;                                      // one if it holds all rows, else two
  double epoch_step_ = tasks_.empty() ? 1 : tasks_[0].state.step;  // number of the epoch's first step
  std::atomic<bool> finite_{true};                                 // the rows gathered so far
};

}  // namespace

template <class X>
void sgd_fit(const SgdData<X>& data, const SgdOptions& options, std::vector<SgdTask>& tasks) {
  if (data.x.rows > std::numeric_limits<uint32_t>::max())
    throw_invalid("sgd", "expected fewer than 2^32 rows");
  Fit<X>(data, options, tasks).run();
}

template void sgd_fit(const SgdData<MatrixView<float>>&, const SgdOptions&, std::vector<SgdTask>&);
template void sgd_fit(const SgdData<MatrixView<double>>&, const SgdOptions&, std::vector<SgdTask>&);
template void sgd_fit(const SgdData<CsrView<float>>&, const SgdOptions&, std::vector<SgdTask>&);
template void sgd_fit(const SgdData<CsrView<double>>&, const SgdOptions&, std::vector<SgdTask>&);

}  // namespace maas
