#include "maas/linear/sgd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "maas/base/error.h"
#include "maas/base/interrupt.h"
#include "maas/base/thread_pool.h"
#include "maas/linear/row_order.h"

namespace maas {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSmallestEta = 1e-6;  // the adaptive schedule divides no further

// Rows learned between two looks at Ctrl-C and at overflow: some 100 µs.
size_t chunk_rows(size_t cols) { return std::clamp<size_t>((size_t{1} << 18) / cols, 64, 4096); }

// What a task needs from epoch to epoch beside its weights.
struct Progress {
  bool active = true;
  double eta = 0;           // of the adaptive schedule
  double best = kInfinity;  // objective, or minus the validation score
  size_t epochs_without = 0;
  double loss = 0, penalty = 0;  // sums over this epoch
  bool clipped = false;
  bool finite = true;  // the rows read so far
  AlignedBuffer<double> y, weight, rates, scratch;
  std::vector<double> last_finite;  // weights, then the intercept
};

template <class T>
class Fit {
 public:
  Fit(const SgdData<T>& data, const SgdOptions& options, std::vector<SgdTask>& tasks)
      : data_(data),
        options_(options),
        tasks_(tasks),
        progress_(tasks.size()),
        chunk_(chunk_rows(data.x.cols)) {
    order_.resize(data.train ? data.train.size : data.x.rows);
    for (Progress& p : progress_) {
      p.eta = options.schedule.eta0;
      p.y = AlignedBuffer<double>(chunk_);
      p.weight = AlignedBuffer<double>(chunk_);
      p.rates = AlignedBuffer<double>(chunk_);
    }
  }

  void run() {
    for (size_t epoch = 0; epoch < options_.max_epochs && any_active(); ++epoch) {
      make_order(epoch);
      for (size_t begin = 0; begin < order_.size(); begin += chunk_) {
        poll_interrupt();
        const size_t count = std::min(chunk_, order_.size() - begin);
        parallel_for(tasks_.size(), [&](size_t k, int) { learn(k, order_.data() + begin, count); });
        check_rows();
      }
      parallel_for(tasks_.size(), [&](size_t k, int) { finish_epoch(k); });
    }
  }

 private:
  bool any_active() const {
    return std::any_of(progress_.begin(), progress_.end(), [](const Progress& p) { return p.active; });
  }

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

  // Targets, weights and learning rates of the rows to come, side by side.
  void prepare(const SgdTask& task, Progress& p, const uint32_t* rows, size_t count) const {
    double zero = 0;  // stays 0 while all values are finite
    for (size_t i = 0; i < count; ++i) {
      const double y = data_.y[rows[i]];
      zero += y * 0;
      p.y[i] = target(task, y);
    }
    if (weighted(task)) {
      for (size_t i = 0; i < count; ++i) {
        const double w = data_.weight ? data_.weight[rows[i]] : 1.0;
        zero += w * 0;
        p.weight[i] = w * (p.y[i] > 0 ? task.positive_weight : task.negative_weight);
      }
    }
    p.finite &= zero == 0;
    options_.schedule.rates(task.state.step, count, p.eta, p.rates.data());
  }

  void learn(size_t k, const uint32_t* rows, size_t count) {
    SgdTask& task = tasks_[k];
    Progress& p = progress_[k];
    if (!p.active || task.diverged) return;
    keep(task.state, p);
    prepare(task, p, rows, count);
    const SgdRows<T> chunk = {data_.x,        rows, p.y.data(), weighted(task) ? p.weight.data() : nullptr,
                              p.rates.data(), count};
    const SgdSums sums = sgd_steps(chunk, options_.rules, task.state, p.scratch);
    p.finite &= sums.finite;
    p.loss += sums.loss;
    p.penalty += sums.penalty;
    p.clipped |= sums.clipped;
    if (!task.state.finite()) {
      task.diverged = true;
      task.state.set_weights(p.last_finite.data());
      task.state.intercept = p.last_finite.back();
    }
  }

  static void keep(const SgdState& state, Progress& p) {
    p.last_finite.resize(state.cols + 1);
    state.get_weights(p.last_finite.data());
    p.last_finite.back() = state.intercept;
  }

  // On the calling thread, since a row that is not finite is an error and overflow is not.
  void check_rows() const {
    for (const Progress& p : progress_) {
      if (!p.finite) throw NotFinite("Input X, y or sample_weight");
    }
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
    const double value = data_.validation ? -validation_score(task, p) : objective;
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

  // Weighted accuracy of a classifier, weighted R² of a regressor, on the validation rows.
  double validation_score(const SgdTask& task, Progress& p) const {
    const size_t n = data_.validation.size;
    std::vector<uint32_t> rows(n);
    std::vector<double> margins(n);
    for (size_t i = 0; i < n; ++i) rows[i] = data_.validation[i];
    p.finite &= sgd_margins(data_.x, rows.data(), n, task.state, p.scratch, margins.data());
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

  const SgdData<T>& data_;
  const SgdOptions& options_;
  std::vector<SgdTask>& tasks_;
  std::vector<Progress> progress_;
  size_t chunk_;
  std::vector<uint32_t> order_;
};

}  // namespace

template <class T>
void sgd_fit(const SgdData<T>& data, const SgdOptions& options, std::vector<SgdTask>& tasks) {
  if (data.x.rows > std::numeric_limits<uint32_t>::max())
    throw_invalid("sgd", "expected fewer than 2^32 rows");
  Fit<T>(data, options, tasks).run();
}

template void sgd_fit(const SgdData<float>&, const SgdOptions&, std::vector<SgdTask>&);
template void sgd_fit(const SgdData<double>&, const SgdOptions&, std::vector<SgdTask>&);

}  // namespace maas
