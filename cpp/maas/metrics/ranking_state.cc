#include "maas/metrics/ranking_state.h"

#include <algorithm>
#include <cmath>

namespace maas {
namespace {

template <class Score>
std::vector<Score> merged(const std::vector<Score>& a, const std::vector<Score>& b) {
  std::vector<Score> both(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), both.begin());
  return both;
}

template <class Score>
void write_run(StateWriter& out, const std::vector<Score>& run) {
  out.put(static_cast<uint64_t>(run.size()));
  out.put_all(run.data(), run.size());
}

bool valid(double score) { return std::isfinite(score) && !(score == 0 && std::signbit(score)); }
bool valid(const WeightedScore& s) { return valid(s.score) && std::isfinite(s.weight) && s.weight > 0; }

template <class Score>
std::vector<Score> read_run(StateReader& in) {
  std::vector<Score> run = in.get_all<Score>(in.get<uint64_t>());
  bool good = true;
  for (size_t i = 0; i < run.size(); ++i) good &= valid(run[i]) && (i == 0 || !(run[i] < run[i - 1]));
  in.require(good, "finite scores in ascending order and positive weights");
  return run;
}

}  // namespace

template <class Score>
void SortedRuns<Score>::add(std::vector<Score> run) {
  if (run.empty()) return;
  while (!runs_.empty() && runs_.back().size() < 2 * run.size()) {
    run = merged(runs_.back(), run);
    runs_.pop_back();
  }
  runs_.push_back(std::move(run));
}

template <class Score>
std::vector<Score> SortedRuns<Score>::all() const {
  std::vector<Score> all;
  for (size_t i = runs_.size(); i-- > 0;) all = merged(all, runs_[i]);  // the shortest first
  return all;
}

void RankingState::add(SortedScores<double> plain, SortedScores<WeightedScore> weighted) {
  has_positives_ |= !plain.positives.empty() || !weighted.positives.empty();
  has_negatives_ |= !plain.negatives.empty() || !weighted.negatives.empty();
  positives_.add(std::move(plain.positives));
  negatives_.add(std::move(plain.negatives));
  weighted_positives_.add(std::move(weighted.positives));
  weighted_negatives_.add(std::move(weighted.negatives));
}

void RankingState::update(const ArrayView& labels, int64_t positive, const ArrayView& scores,
                          const ArrayView& weight) {
  if (weight) {
    add({}, sort_scores(labels, positive, scores, weight));
    weighted_ = true;
  } else {
    add(sort_scores<double>(labels, positive, scores), {});
  }
}

void RankingState::merge(const RankingState& other) {
  require_same_config(config_, other.config_);
  add({other.positives_.all(), other.negatives_.all()},
      {other.weighted_positives_.all(), other.weighted_negatives_.all()});
  weighted_ |= other.weighted_;
}

double RankingState::score(RankingMetric metric, double max_fpr) const {
  const SortedScores<double> plain{positives_.all(), negatives_.all()};
  if (!weighted_ && max_fpr == 1) return ranking_score(metric, plain);
  const SortedScores<WeightedScore> unit = with_unit_weights(plain);
  return ranking_score(
      metric,
      {merged(unit.positives, weighted_positives_.all()), merged(unit.negatives, weighted_negatives_.all())},
      max_fpr);
}

// u8 weighted; unweighted positives and negatives: u64 count, f64 scores; then, if weighted, the same with
// pairs of f64 score and f64 weight. All ascending.
void RankingState::write(StateWriter& out) const {
  out.put(static_cast<uint8_t>(weighted_));
  write_run(out, positives_.all());
  write_run(out, negatives_.all());
  if (!weighted_) return;
  write_run(out, weighted_positives_.all());
  write_run(out, weighted_negatives_.all());
}

void RankingState::read(StateReader& in) {
  const uint8_t weighted = in.get<uint8_t>();
  in.require(weighted <= 1, "a flag");
  weighted_ = weighted != 0;
  SortedScores<double> plain;
  plain.positives = read_run<double>(in);
  plain.negatives = read_run<double>(in);
  SortedScores<WeightedScore> pairs;
  if (weighted_) {
    pairs.positives = read_run<WeightedScore>(in);
    pairs.negatives = read_run<WeightedScore>(in);
  }
  add(std::move(plain), std::move(pairs));
}

}  // namespace maas
