#include "maas/linear/curvature_store.h"

#include <algorithm>
#include <cmath>

#include "maas/linear/vector_math.h"

namespace maas {
namespace {

constexpr size_t kProbedRows = 64;
// Root mean square distance of margins within which curvatures are taken as one: their relative difference
// is about as large, and a step divides the error by its inverse.
constexpr double kNear = 0.02;
// Relative distance of penalties within which a factor will do.
constexpr double kSamePenalty = 0.01;

// The blocks of a stacked pass plus the penalty, for CurvatureModel to factor.
class StoredCurvature : public Objective {
 public:
  StoredCurvature(const std::vector<double>& blocks, const LinearModelShape& shape, size_t columns,
                  double alpha)
      : blocks_(blocks), shape_(shape), columns_(columns), alpha_(alpha) {}

  size_t size() const override { return shape_.outputs * columns_; }
  size_t blocks() const override { return shape_.outputs; }
  double value_and_gradient(const double*, double*) override { return 0; }
  void hessian(const double*, double* h) override { copy(size(), h); }
  void hessian_blocks(const double*, double* h) override { copy(columns_, h); }

 private:
  void copy(size_t n, double* h) const {
    std::copy(blocks_.begin(), blocks_.end(), h);
    const size_t penalised = columns_ - (shape_.intercept ? 1 : 0);
    for (size_t at = 0; at < size(); ++at) {
      if (at % columns_ < penalised) h[at / n * n * n + at % n * (n + 1)] += alpha_;
    }
  }

  const std::vector<double>& blocks_;
  const LinearModelShape shape_;
  const size_t columns_;
  const double alpha_;
};

}  // namespace

template <class T>
CurvatureStore<T>::CurvatureStore(const WeightedRows<T>& rows, const LinearModelShape& shape,
                                  const std::vector<double>& shift)
    : shape_(shape), columns_(rows.x.cols + (shape.intercept ? 1 : 0)) {
  const size_t stride = std::max<size_t>(1, rows.x.rows / kProbedRows);
  for (size_t i = 0; i < rows.x.rows; i += stride) {
    for (size_t j = 0; j < rows.x.cols; ++j) {
      probe_.push_back(static_cast<double>(rows.x(i, j)) - (shift.empty() ? 0.0 : shift[j]));
    }
    if (shape.intercept) probe_.push_back(1.0);
  }
}

template <class T>
std::vector<double> CurvatureStore<T>::margins_at(const double* theta) const {
  std::vector<double> margins;
  for (size_t i = 0; i < probe_.size(); i += columns_) {
    for (size_t o = 0; o < shape_.outputs; ++o) {
      margins.push_back(dot(probe_.data() + i, theta + o * columns_, columns_));
    }
  }
  return margins;
}

// The nearest entry, new if there is none near enough.
template <class T>
size_t CurvatureStore<T>::find(const double* theta, size_t fold) {
  std::vector<double> margins = margins_at(theta);
  size_t best = entries_.size();
  double least = kNear * kNear * static_cast<double>(margins.size());
  for (size_t e = 0; e < entries_.size(); ++e) {
    if (entries_[e].fold != fold) continue;
    double distance = 0;
    for (size_t i = 0; i < margins.size(); ++i) {
      const double difference = margins[i] - entries_[e].margins[i];
      distance += difference * difference;
    }
    if (distance <= least) {
      least = distance;
      best = e;
    }
  }
  if (best == entries_.size()) {
    entries_.push_back({fold, {theta, theta + shape_.outputs * columns_}, std::move(margins), {}, {}});
  }
  return best;
}

template <class T>
void CurvatureStore<T>::compute_missing(const FoldRows<T>& rows) {
  const StackedPass<T> pass(rows, shape_);
  std::vector<StackedPoint> points;
  for (const Entry& entry : entries_) {
    if (entry.blocks.empty()) points.push_back({entry.theta.data(), entry.fold});
  }
  if (points.empty()) return;
  const std::vector<double> blocks = pass.curvature(points);
  const double* from = blocks.data();
  for (Entry& entry : entries_) {
    if (!entry.blocks.empty()) continue;
    double weight = rows.total_weight();
    if (entry.fold != kNoFold) weight -= rows.group_weights()[entry.fold];
    entry.blocks.assign(from, from + pass.curvature_size());
    for (double& value : entry.blocks) value /= weight > 0 ? weight : 1.0;
    from += pass.curvature_size();
  }
}

template <class T>
std::shared_ptr<const CurvatureModel> CurvatureStore<T>::factor(Entry& entry, double alpha) const {
  for (const Factor& f : entry.factors) {
    if (std::abs(f.alpha - alpha) <= kSamePenalty * alpha) return f.model;
  }
  StoredCurvature curvature(entry.blocks, shape_, columns_, alpha);
  const auto model = std::make_shared<const CurvatureModel>(CurvatureModel::at(curvature, nullptr));
  entry.factors.push_back({alpha, model});
  return model;
}

template <class T>
std::vector<std::shared_ptr<const CurvatureModel>> CurvatureStore<T>::provide(
    const FoldRows<T>& rows, const std::vector<CurvatureRequest>& requests) {
  std::vector<size_t> found;
  for (const CurvatureRequest& r : requests) found.push_back(find(r.theta, r.shared ? kNoFold : r.fold));
  compute_missing(rows);
  std::vector<std::shared_ptr<const CurvatureModel>> models;
  for (size_t i = 0; i < requests.size(); ++i) {
    models.push_back(factor(entries_[found[i]], requests[i].alpha));
  }
  std::erase_if(entries_, [](const Entry& entry) { return entry.fold != kNoFold; });
  return models;
}

template class CurvatureStore<float>;
template class CurvatureStore<double>;

}  // namespace maas
