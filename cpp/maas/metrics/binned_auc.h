// Area under the ROC curve from counts of scores in bins: memory does not grow with the rows, and how far the
// figure can be from the exact one is known.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "maas/kernels/score_keys.h"
#include "maas/metrics/array_view.h"
#include "maas/metrics/state_bytes.h"

namespace maas {

struct BinnedAuc {
  double area = 0;         // pairs of rows in one bin count half
  double error_bound = 0;  // at most half of the share of such pairs, and the rounding of both figures
  bool positives = false, negatives = false;  // whether there are any; else the figures are NaN
};

// Moves but does not copy; one thread at a time. Holds 8 bytes a bin that scores came near to (whole pages of
// memory), twice that from 2^31 rows on.
class BinnedAucState {
 public:
  static constexpr uint16_t kTypeId = 17;
  static constexpr uint16_t kVersion = 1;

  explicit BinnedAucState(std::string config) : BinnedAucState(std::move(config), ScoreBins{}) {}
  BinnedAucState(std::string config, const ScoreBins& bins);
  const std::string& config() const { return config_; }
  bool same_bins(const BinnedAucState& other) const;

  // Throws NotFinite for NaN or infinity, InvalidArgument for labels that are no integers, and then leaves
  // the state as it was.
  void update(const ArrayView& labels, int64_t positive, const ArrayView& scores);
  void merge(const BinnedAucState& other);
  uint64_t rows() const { return rows_; }
  BinnedAuc compute() const;

  void write(StateWriter& out) const;
  void read(StateReader& in);

 private:
  struct Bin {
    uint32_t key;
    uint64_t negatives, positives;
  };
  // Zero until written; pages that nobody wrote take no memory.
  template <class T>
  class Counts {
   public:
    explicit Counts(size_t size) : values_(static_cast<T*>(std::calloc(size, sizeof(T)))) {
      if (!values_) throw std::bad_alloc();
    }
    T& operator[](size_t i) const { return values_.get()[i]; }

   private:
    struct Free {
      void operator()(T* p) const { std::free(p); }
    };
    std::unique_ptr<T, Free> values_;
  };

  void flush();
  void add(const Bin& bin);
  // Calls fn(bin) for every bin with rows, by rising score.
  template <class Fn>
  void for_bins(Fn&& fn) const;

  std::string config_;
  ScoreBins bins_;
  Counts<uint32_t> recent_;              // of bin b: [2 b] negatives, [2 b + 1] positives
  std::vector<Counts<uint64_t>> older_;  // one or none: counts moved out of recent_ before they overflow
  std::vector<uint8_t> used_;            // by chunks of bins: whether any has rows
  uint64_t recent_rows_ = 0;
  uint64_t rows_ = 0;
};

}  // namespace maas
