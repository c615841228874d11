#include "maas/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "maas/base/aligned.h"
#include "maas/base/interrupt.h"
#include "maas/base/thread_pool.h"
#include "maas/kernels/count_dots.h"
#include "maas/metrics/resample.h"

namespace maas {
namespace {

constexpr size_t kTogether = 8;  // resamples that share a pass over the columns

size_t tasks_of(size_t resamples) { return (resamples + kTogether - 1) / kTogether; }

// How often each row is drawn, in the order of the strata.
void count_all(const Resampler& resampler, uint64_t resample, uint32_t* counts) {
  const std::vector<uint64_t> totals = resampler.block_totals(resample);
  for (size_t b = 0; b < totals.size(); ++b) {
    resampler.count_rows(resample, b, totals[b], counts + resampler.blocks()[b].begin);
  }
}

// `value` where the flag is set, else 0. No branch: which class comes next no predictor guesses.
uint64_t kept(uint64_t value, int flag) { return value & (uint64_t{0} - static_cast<uint64_t>(flag != 0)); }
double kept(double value, int flag) { return value * (flag != 0); }

double to_double(uint64_t value) { return static_cast<double>(static_cast<int64_t>(value)); }
double to_double(double value) { return value; }

// Running sums of a scan over ranked rows. Number is uint64_t or, with weights, double.
template <class Number>
class RocScan {
 public:
  void add(Number drawn, uint8_t flags) {
    const Number p = kept(drawn, flags & RankedRows::kPositive);
    edge_ += kept(negatives_ - edge_, flags & RankedRows::kEdge);
    negatives_ += drawn - p;
    positives_ += p;
    twice_right_ += p * (edge_ + negatives_);
  }
  double score() const {
    const double pairs = static_cast<double>(positives_) * static_cast<double>(negatives_);
    return pairs > 0 ? static_cast<double>(twice_right_) / 2 / pairs : NAN;
  }

 private:
  Number negatives_ = 0, positives_ = 0;
  Number edge_ = 0;  // negatives below the rows of this score
  Number twice_right_ = 0;
};

template <class Number>
class PrecisionScan {
 public:
  void add(Number drawn, uint8_t flags) {
    const Number p = kept(drawn, flags & RankedRows::kPositive);
    positives_ += p;
    rows_ += drawn;
    level_ += p;
    if (flags & RankedRows::kEdge) {
      const Number rows = rows_ + static_cast<Number>(rows_ == 0);
      sum_ += to_double(level_) * (to_double(positives_) / to_double(rows));
      level_ = 0;
    }
  }
  double score() const { return positives_ > 0 ? sum_ / static_cast<double>(positives_) : NAN; }

 private:
  Number positives_ = 0, rows_ = 0;
  Number level_ = 0;  // positives of this score
  double sum_ = 0;
};

template <template <class> class Scan>
double scan_rows(const RankedRows& order, size_t rows, const uint32_t* counts) {
  if (order.weight) {
    Scan<double> scan;
    for (size_t i = 0; i < rows; ++i) scan.add(counts[i] * order.weight[i], order.flags[i]);
    return scan.score();
  }
  Scan<uint64_t> scan;
  for (size_t i = 0; i < rows; ++i) scan.add(counts[i], order.flags[i]);
  return scan.score();
}

double scan_rows(RankingMetric metric, const RankedRows& order, size_t rows, const uint32_t* counts) {
  return metric == RankingMetric::kRocAuc ? scan_rows<RocScan>(order, rows, counts)
                                          : scan_rows<PrecisionScan>(order, rows, counts);
}

}  // namespace

void bootstrap_cells(uint64_t seed, size_t resamples, const std::vector<std::vector<uint64_t>>& strata,
                     int64_t* out) {
  size_t cells = 0;
  for (const auto& sizes : strata) cells += sizes.size();
  parallel_for(tasks_of(resamples), [&](size_t task, int) {
    std::vector<uint64_t> counts(cells);
    for (size_t r = task * kTogether; r < std::min(resamples, (task + 1) * kTogether); ++r) {
      std::fill(counts.begin(), counts.end(), 0);
      RandomStream random(seed, r);
      uint64_t* at = counts.data();
      for (const auto& sizes : strata) {
        const uint64_t rows = std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
        random_multinomial(random, sizes.data(), sizes.size(), rows, rows, at);
        at += sizes.size();
      }
      std::copy(counts.begin(), counts.end(), out + r * cells);
    }
  });
}

void bootstrap_sums(uint64_t seed, size_t resamples, const std::vector<uint64_t>& strata,
                    const std::vector<const double*>& columns, double* out) {
  const Resampler resampler(seed, strata);
  const size_t width = columns.size();
  std::fill(out, out + resamples * width, 0.0);
  parallel_for(tasks_of(resamples), [&](size_t task, int) {
    const size_t first = task * kTogether, end = std::min(resamples, first + kTogether);
    std::vector<std::vector<uint64_t>> totals;
    for (size_t r = first; r < end; ++r) totals.push_back(resampler.block_totals(r));
    AlignedBuffer<uint32_t> counts(Resampler::kRows);
    for (size_t b = 0; b < resampler.blocks().size(); ++b) {
      const auto [begin, rows] = resampler.blocks()[b];
      for (size_t r = first; r < end; ++r) {
        resampler.count_rows(r, b, totals[r - first][b], counts.data());
        count_dots(counts.data(), columns.data(), width, begin, rows, out + r * width);
      }
    }
  });
}

void bootstrap_ranking(RankingMetric metric, uint64_t seed, size_t resamples,
                       const std::vector<uint64_t>& strata, const std::vector<RankedRows>& orders,
                       double* out) {
  const Resampler resampler(seed, strata);
  const size_t rows = resampler.rows();
  std::vector<AlignedBuffer<uint32_t>> drawn(static_cast<size_t>(num_threads())), ranked(drawn.size());
  parallel_for(resamples, [&](size_t r, int worker) {
    auto& counts = drawn[static_cast<size_t>(worker)];
    auto& in_order = ranked[static_cast<size_t>(worker)];
    if (counts.size() != rows) counts = AlignedBuffer<uint32_t>(rows);
    count_all(resampler, r, counts.data());
    for (size_t k = 0; k < orders.size(); ++k) {
      const RankedRows& order = orders[k];
      const uint32_t* used = counts.data();
      if (order.place) {
        if (in_order.size() != rows) in_order = AlignedBuffer<uint32_t>(rows);
        for (size_t i = 0; i < rows; ++i) in_order[i] = counts[order.place[i]];
        used = in_order.data();
      }
      out[r * orders.size() + k] = scan_rows(metric, order, rows, used);
    }
  });
}

void jackknife_ranking(RankingMetric metric, const RankedRows& order, size_t rows, double* out) {
  constexpr size_t kRowsTogether = 64;
  parallel_for((rows + kRowsTogether - 1) / kRowsTogether, [&](size_t task, int) {
    AlignedBuffer<uint32_t> counts(rows, 1);
    for (size_t i = task * kRowsTogether; i < std::min(rows, (task + 1) * kRowsTogether); ++i) {
      counts[i] = 0;
      out[i] = scan_rows(metric, order, rows, counts.data());
      counts[i] = 1;
    }
  });
}

void bootstrap_rows(uint64_t seed, uint64_t resample, const std::vector<uint64_t>& strata, int64_t* rows) {
  const Resampler resampler(seed, strata);
  const std::vector<uint64_t> totals = resampler.block_totals(resample);
  uint32_t counts[Resampler::kRows];
  for (size_t b = 0; b < totals.size(); ++b) {
    resampler.count_rows(resample, b, totals[b], counts);
    const auto [begin, size] = resampler.blocks()[b];
    for (size_t i = 0; i < size; ++i) {
      rows = std::fill_n(rows, counts[i], static_cast<int64_t>(begin + i));
    }
  }
}

}  // namespace maas
