#include "maas/linear/leave_one_out.h"

#include <algorithm>
#include <cmath>

#include "maas/base/aligned.h"
#include "maas/base/shards.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/elementwise.h"
#include "maas/kernels/linear_pass.h"
#include "maas/kernels/reduce.h"
#include "maas/linear/centred_rows.h"
#include "maas/linear/cholesky.h"
#include "maas/linear/gram_state.h"
#include "maas/linear/leave_one_out_wide.h"
#include "maas/linear/normal_equations.h"
#include "maas/linear/svd.h"

namespace maas {
namespace {

constexpr size_t kSpectralFeatures = 256;  // up to here one SVD is cheaper than a factorisation a penalty
constexpr double kGoodCondition = kGramCondition * kGramCondition;  // of a Gram matrix

// Directions v_k such that xᵀ(G + penalty)⁻¹x = Σ_k gain_k (v_kᵀx)²: the eigenvectors of G with gains a
// penalty, or the rows of an inverse factor with gains of one for a single penalty.
struct Basis {
  std::vector<double> vectors;  // d × d, one a row
  std::vector<double> gains;    // penalties × d
};

struct Model {
  std::vector<Basis> bases;  // their penalties together are all, in order
  std::vector<double> coef;  // penalties × t × d
};

// values: the eigenvalues; projected: k × t, the products Xᵀ W y along the eigenvectors.
Model spectral_model(std::vector<double> vectors, const std::vector<double>& values,
                     const std::vector<double>& projected, size_t t, const std::vector<double>& penalties) {
  const size_t d = values.size();
  Basis basis{std::move(vectors), std::vector<double>(penalties.size() * d)};
  Model model;
  model.coef.assign(penalties.size() * t * d, 0.0);
  for (size_t a = 0; a < penalties.size(); ++a) {
    for (size_t k = 0; k < d; ++k) {
      const double gain = 1 / (values[k] + penalties[a]);
      basis.gains[a * d + k] = gain;
      for (size_t target = 0; target < t; ++target) {
        double* w = &model.coef[(a * t + target) * d];
        map_arrays(MapOp::kAxpy, d, &basis.vectors[k * d], w, w, gain * projected[k * t + target]);
      }
    }
  }
  model.bases.push_back(std::move(basis));
  return model;
}

// From the eigenvectors of the Gram matrix; nothing where its rounding shows.
std::optional<Model> from_gram(const std::vector<double>& moments, size_t d, size_t t,
                               const std::vector<double>& penalties) {
  const size_t p = d + t;
  std::vector<double> gram(d * d);
  for (size_t i = 0; i < d; ++i) std::copy(&moments[i * p], &moments[i * p] + d, &gram[i * d]);
  Svd f = svd(gram.data(), d);
  const double least = *std::min_element(penalties.begin(), penalties.end());
  if (!(f.singular[0] + least <= kGoodCondition * (f.singular[d - 1] + least))) return std::nullopt;
  std::vector<double> projected(d * t, 0.0);
  for (size_t k = 0; k < d; ++k) {
    for (size_t target = 0; target < t; ++target) {
      for (size_t j = 0; j < d; ++j)
        projected[k * t + target] += f.v[k * d + j] * moments[j * p + d + target];
    }
  }
  return spectral_model(std::move(f.v), f.singular, projected, t, penalties);
}

// From a Cholesky factorisation a penalty; nothing where one is too ill-conditioned.
std::optional<Model> from_factors(const std::vector<double>& moments, size_t d, size_t t,
                                  const std::vector<double>& penalties) {
  const size_t p = d + t;
  Model model;
  for (const double penalty : penalties) {
    auto solution = solve_normal_equations(moments.data(), p, d, moments.data() + d, p, t, penalty, 0.0);
    if (!solution) return std::nullopt;
    model.coef.insert(model.coef.end(), solution->coef.begin(), solution->coef.end());
    std::vector<double> inverse(d * d, 0.0);  // R⁻ᵀ: its rows are the directions
    for (size_t i = 0; i < d; ++i) inverse[i * d + i] = 1;
    solve_upper_transposed(solution->factor.data(), d, d, inverse.data(), d, d);
    model.bases.push_back({std::move(inverse), std::vector<double>(d, 1.0)});
  }
  return model;
}

// From the QR factorisation of the rows, whose error grows with the condition instead of its square.
template <class T>
Model from_rows(const RegressionRows<T>& rows, const std::vector<double>& mean,
                const std::vector<double>& penalties) {
  const size_t d = rows.x.cols, t = rows.y.cols;
  const TriangularFactor r = tsqr(rows.x.rows, d + t, pack_rows(rows, mean));
  std::vector<double> factor(d * d);
  for (size_t i = 0; i < d; ++i)
    std::copy(&r.data()[i * (d + t)], &r.data()[i * (d + t)] + d, &factor[i * d]);
  Svd f = svd(factor.data(), d);
  std::vector<double> values(d), projected(d * t, 0.0);
  for (size_t k = 0; k < d; ++k) {
    values[k] = f.singular[k] * f.singular[k];
    for (size_t target = 0; target < t; ++target) {
      double product = 0;
      for (size_t i = 0; i < d; ++i) product += f.u[k * d + i] * r(i, d + target);
      projected[k * t + target] = f.singular[k] * product;
    }
  }
  return spectral_model(std::move(f.v), values, projected, t, penalties);
}

struct Scratch {
  AlignedBuffer<double> panel;      // features, targets
  AlignedBuffer<double> weights;    // one column
  AlignedBuffer<double> rotated;    // features along the basis, squared
  AlignedBuffer<double> leverage;   // a column a penalty
  AlignedBuffer<double> residuals;  // a column a penalty and target
};

template <class T>
class Pass {
 public:
  Pass(const RegressionRows<T>& rows, const std::vector<double>& mean, double weight, const Model& model,
       const LeaveOneOutOptions& options, LeaveOneOut& out)
      : panels_(rows, mean), mean_share_(options.intercept ? 1 / weight : 0.0), model_(model), out_(out) {
    d_ = rows.x.cols;
    t_ = rows.y.cols;
    count_ = options.penalties.size();
    height_ = panel_rows(d_ + t_, sizeof(double));
  }

  void run() {
    const Shards shards = make_shards(panels_.size(), height_);
    const size_t slot = count_ * t_;
    AlignedBuffer<double> sums(shards.count() * slot, 0.0);
    std::vector<Scratch> scratch(static_cast<size_t>(num_threads()));
    parallel_for(shards.count(), [&](size_t shard, int worker) {
      Scratch& s = scratch[static_cast<size_t>(worker)];
      if (s.panel.size() == 0) allocate(s);
      for (size_t r = shards.begin(shard); r < shards.end(shard); r += height_) {
        add_block(r, std::min(height_, shards.end(shard) - r), s, sums.data() + shard * slot);
      }
    });
    combine_tree(sums.data(), shards.count(), slot);
    out_.squared.assign(sums.data(), sums.data() + slot);
  }

 private:
  void allocate(Scratch& s) const {
    s.panel = AlignedBuffer<double>((d_ + t_) * height_);
    s.weights = AlignedBuffer<double>(height_);
    s.rotated = AlignedBuffer<double>(d_ * height_);
    s.leverage = AlignedBuffer<double>(count_ * height_);
    s.residuals = AlignedBuffer<double>(count_ * t_ * height_);
  }

  void add_block(size_t first, size_t n, Scratch& s, double* sums) {
    const size_t ld = panel_ld(n);
    panels_.pack(0, d_ + t_, first, n, s.panel.data(), ld);
    const double* w = panels_.pack_weights(first, n, s.weights.data(), ld);
    double* leverage = s.leverage.data();
    for (const Basis& basis : model_.bases) {
      panel_margins(s.panel.data(), ld, d_, basis.vectors.data(), d_, s.rotated.data());
      map_arrays(MapOp::kMultiply, d_ * ld, s.rotated.data(), s.rotated.data(), s.rotated.data());
      const size_t penalties = basis.gains.size() / d_;
      panel_margins(s.rotated.data(), ld, d_, basis.gains.data(), penalties, leverage);
      leverage += penalties * ld;
    }
    panel_margins(s.panel.data(), ld, d_, model_.coef.data(), count_ * t_, s.residuals.data());
    for (size_t a = 0; a < count_; ++a) {
      double* rest = s.leverage.data() + a * ld;  // one minus the leverage
      for (size_t i = 0; i < n; ++i) rest[i] = 1 - (w == nullptr ? 1.0 : w[i]) * (rest[i] + mean_share_);
      for (size_t k = 0; k < t_; ++k) {
        const double* y = s.panel.data() + (d_ + k) * ld;
        double* e = s.residuals.data() + (a * t_ + k) * ld;
        for (size_t i = 0; i < n; ++i) e[i] = (y[i] - e[i]) / rest[i];
        if (!out_.residuals.empty()) store(first, n, a, k, e);
        double& sum = sums[a * t_ + k];
        if (w == nullptr) {
          sum += reduce(Reduction::kSumSquares, n, e);
        } else {
          for (size_t i = 0; i < n; ++i) e[i] *= std::sqrt(w[i]);
          sum += reduce(Reduction::kSumSquares, n, e);
        }
      }
    }
  }

  void store(size_t first, size_t n, size_t a, size_t target, const double* e) {
    double* to = out_.residuals.data() + (first * t_ + target) * count_ + a;
    for (size_t i = 0; i < n; ++i) to[i * t_ * count_] = e[i];
  }

  RowPanels<T, double> panels_;
  double mean_share_;  // of the intercept in the leverage of a row of weight one
  const Model& model_;
  LeaveOneOut& out_;
  size_t d_, t_, count_, height_;
};

}  // namespace

template <class T>
LeaveOneOut leave_one_out(const RegressionRows<T>& rows, const LeaveOneOutOptions& options) {
  const size_t n = rows.x.rows, d = rows.x.cols, t = rows.y.cols, count = options.penalties.size();
  const bool wide = n < d;
  const GramState state = wide || options.orthogonal ? mean_state(rows) : gram_state(rows);
  std::vector<double> centre(state.mean);
  if (!options.intercept) std::fill(centre.begin(), centre.end(), 0.0);
  if (wide) return leave_one_out_wide(rows, centre, options);
  std::optional<Model> model;
  if (!options.orthogonal) {
    const std::vector<double> moments = options.intercept ? state.centred : state.about_origin();
    model = d <= kSpectralFeatures ? from_gram(moments, d, t, options.penalties)
                                   : from_factors(moments, d, t, options.penalties);
  }
  if (!model) model = from_rows(rows, centre, options.penalties);
  LeaveOneOut out;
  if (options.store) out.residuals.resize(n * t * count);
  Pass<T>(rows, centre, state.weight, *model, options, out).run();
  out.coef = std::move(model->coef);
  out.intercept.assign(count * t, 0.0);
  for (size_t a = 0; a < count * t && options.intercept; ++a) {
    double at_mean = 0;
    for (size_t j = 0; j < d; ++j) at_mean += out.coef[a * d + j] * state.mean[j];
    out.intercept[a] = state.mean[d + a % t] - at_mean;
  }
  return out;
}

template LeaveOneOut leave_one_out(const RegressionRows<float>&, const LeaveOneOutOptions&);
template LeaveOneOut leave_one_out(const RegressionRows<double>&, const LeaveOneOutOptions&);

}  // namespace maas
