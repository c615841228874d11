#include "maas/linear/stacked_solver.h"

#include <algorithm>

#include "maas/base/interrupt.h"

namespace maas {

template <class T>
SlopeDescent StackedSolver<T>::descent_from(const std::vector<double>& theta) const {
  return SlopeDescent(theta, rule_, sizeof(T) == 4 ? 1e-7 : 1e-14);
}

template <class T>
double StackedSolver<T>::training_weight(size_t fold) const {
  double sum = 0;
  for (size_t g = 0; g < rows_.groups(); ++g) sum += g == fold ? 0.0 : rows_.group_weights()[g];
  return sum;
}

template <class T>
std::vector<double> StackedSolver<T>::training_gradient(const double* group_sums, size_t fold) const {
  std::vector<double> sum(pass_.size(), 0.0);
  for (size_t g = 0; g < rows_.groups(); ++g) {
    if (g == fold) continue;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += group_sums[g * sum.size() + i];
  }
  return sum;
}

template <class T>
void StackedSolver<T>::tell(const StackedModel& model, const double* sums, SlopeDescent& descent) const {
  const size_t columns = rows_.columns();
  const size_t penalised = columns - (shape_.intercept ? 1 : 0);
  const double weight = training_weight(model.fold);
  std::vector<double> gradient(pass_.size());
  for (size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = sums[i] / weight;
    if (i % columns < penalised) gradient[i] += model.alpha * descent.trial()[i];
  }
  descent.tell(gradient.data());
}

// Steps worth the next curvature, which costs as much as a step for every few columns; more each time.
template <class T>
size_t StackedSolver<T>::round_length(const SlopeDescent& descent) const {
  return std::clamp<size_t>(rows_.columns() / 4, 4, 8) + descent.iterations() / 2;
}

template <class T>
void StackedSolver<T>::give_curvature(const std::vector<StackedModel>& models,
                                      std::vector<SlopeDescent>& descents) {
  std::vector<size_t> wanting;
  std::vector<CurvatureRequest> requests;
  for (size_t i = 0; i < models.size(); ++i) {
    if (!descents[i].wants_curvature()) continue;
    wanting.push_back(i);
    // Folds start with the curvature of all rows, which is known, and take their own where that is too far.
    const bool shared = models[i].fold == kNoFold || descents[i].iterations() == 0;
    requests.push_back({descents[i].theta().data(), models[i].fold, models[i].alpha, shared});
  }
  if (wanting.empty()) return;
  std::vector<std::shared_ptr<const CurvatureModel>> curvature(wanting.size());
  if (curvature_rows_ != nullptr) curvature = store_.provide(*curvature_rows_, requests);
  for (size_t k = 0; k < wanting.size(); ++k) {
    SlopeDescent& descent = descents[wanting[k]];
    descent.set_curvature(curvature[k],
                          curvature_rows_ == nullptr ? static_cast<size_t>(-1) : round_length(descent));
  }
}

template <class T>
void StackedSolver<T>::take_results(const std::vector<SlopeDescent>& descents,
                                    std::vector<StackedModel>& models) const {
  for (size_t i = 0; i < models.size(); ++i) {
    models[i].theta = descents[i].theta();
    models[i].status = descents[i].status();
    models[i].iterations = descents[i].iterations();
  }
}

template <class T>
std::vector<GroupGradients> StackedSolver<T>::solve_all(std::vector<StackedModel>& models) {
  const size_t stride = rows_.groups() * pass_.size();
  std::vector<SlopeDescent> descents;
  for (const StackedModel& model : models) descents.push_back(descent_from(model.theta));
  std::vector<GroupGradients> last(models.size());
  while (true) {
    poll_interrupt();
    give_curvature(models, descents);
    std::vector<StackedPoint> points;
    std::vector<size_t> active;
    for (size_t i = 0; i < models.size(); ++i) {
      if (descents[i].done()) continue;
      active.push_back(i);
      points.push_back({descents[i].trial().data(), kNoFold});
    }
    if (active.empty()) break;
    const std::vector<double> sums = pass_.group_gradients(points);
    for (size_t k = 0; k < active.size(); ++k) {
      const double* own = sums.data() + k * stride;
      last[active[k]] = {descents[active[k]].trial(), {own, own + stride}};
      tell(models[active[k]], training_gradient(own, kNoFold).data(), descents[active[k]]);
    }
  }
  take_results(descents, models);
  return last;
}

template <class T>
std::vector<GroupGradients> StackedSolver<T>::group_gradients(const std::vector<StackedModel>& models) const {
  const size_t stride = rows_.groups() * pass_.size();
  std::vector<StackedPoint> points;
  for (const StackedModel& model : models) points.push_back({model.theta.data(), kNoFold});
  const std::vector<double> sums = pass_.group_gradients(points);
  std::vector<GroupGradients> out;
  for (size_t i = 0; i < models.size(); ++i) {
    const double* own = sums.data() + i * stride;
    out.push_back({models[i].theta, {own, own + stride}});
  }
  return out;
}

template <class T>
void StackedSolver<T>::solve_folds(std::vector<StackedModel>& models,
                                   const std::vector<GroupGradients>& starts,
                                   const std::vector<size_t>& parents) {
  std::vector<SlopeDescent> descents;
  for (size_t i = 0; i < models.size(); ++i) {
    const GroupGradients& start = starts[parents[i]];
    descents.push_back(descent_from(start.theta));
    tell(models[i], training_gradient(start.sums.data(), models[i].fold).data(), descents[i]);
  }
  while (true) {
    poll_interrupt();
    give_curvature(models, descents);
    std::vector<StackedPoint> points;
    std::vector<size_t> active;
    for (size_t i = 0; i < models.size(); ++i) {
      if (descents[i].done()) continue;
      active.push_back(i);
      points.push_back({descents[i].trial().data(), models[i].fold});
    }
    if (active.empty()) break;
    const std::vector<double> sums = pass_.gradients(points);
    for (size_t k = 0; k < active.size(); ++k) {
      tell(models[active[k]], sums.data() + k * pass_.size(), descents[active[k]]);
    }
  }
  take_results(descents, models);
}

template class StackedSolver<float>;
template class StackedSolver<double>;

}  // namespace maas
