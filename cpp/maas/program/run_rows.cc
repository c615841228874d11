// Program::run_rows: the rows cut into shards for the thread pool.
#include <algorithm>
#include <atomic>

#include "maas/base/error.h"
#include "maas/base/float_env.h"
#include "maas/base/thread_pool.h"
#include "maas/program/program.h"

namespace maas {

namespace {

// Units of row_cost (about a tenth of a nanosecond each) below which waking a thread costs more than it
// gives, of a shard, and between looks at Ctrl-C.
constexpr size_t kInlineCost = 400'000;
constexpr size_t kShardCost = 1'000'000;
constexpr size_t kWaveCost = 80'000'000;
// Shards are whole numbers of the rows that products of matrices take at a time (6 or 12).
constexpr size_t kGrain = 12;

size_t rows_for(size_t cost, size_t row_cost, size_t block_rows) {
  const size_t rows = cost / std::max<size_t>(row_cost, 1);
  return std::max<size_t>(1, rows / block_rows) * block_rows;
}

// The first shard that failed, by its place among the rows, whichever thread found it first.
class FirstError {
 public:
  bool before(size_t shard) const { return shard_.load(std::memory_order_relaxed) < shard; }
  void add(size_t shard, RunResult result) {
    while (lock_.test_and_set(std::memory_order_acquire)) {
    }
    if (shard < shard_.load(std::memory_order_relaxed)) {
      shard_.store(shard, std::memory_order_relaxed);
      result_ = result;
    }
    lock_.clear(std::memory_order_release);
  }
  RunResult result() const { return result_; }

 private:
  std::atomic_flag lock_ = ATOMIC_FLAG_INIT;
  std::atomic<size_t> shard_{static_cast<size_t>(-1)};
  RunResult result_;
};

}  // namespace

RunResult Program::run_rows(const InputArray* inputs, size_t rows, void* const* outputs,
                            std::vector<Scratch>& scratches) const {
  if (scratches.empty()) throw_invalid("run_rows", "expected at least one Scratch, got none");
  for (Scratch& scratch : scratches) scratch.reserve(*this, rows);
  const size_t threads = std::min(scratches.size(), static_cast<size_t>(num_threads()));
  const bool small = rows <= kInlineCost / std::max<size_t>(row_cost_, 1);
  // Threads would all write the one copy of a value that knows nothing of rows.
  if (!batched_ || small || (threads == 1 && rows <= rows_for(kWaveCost, row_cost_, block_rows_))) {
    return run(inputs, rows, outputs, scratches[0]);
  }
  const size_t workers = unbatched_outputs_ ? 1 : threads;
  const size_t wave_rows = workers * rows_for(kWaveCost, row_cost_, block_rows_);
  // Up to four shards a thread, so that a slow one does not keep the others waiting. They need not be whole
  // blocks: a few rows of a large model are worth two threads.
  const size_t span = std::min(rows, wave_rows);
  const size_t shards = std::clamp(span * row_cost_ / kShardCost / workers * workers, workers, 4 * workers);
  const size_t shard_rows = workers == 1 ? wave_rows : (span / shards / kGrain + 1) * kGrain;
  FirstError first;
  for (size_t begin = 0; begin < rows; begin += wave_rows) {
    const size_t end = std::min(rows, begin + wave_rows);
    std::atomic<size_t> next{begin};
    parallel_for(workers, [&](size_t worker, int) {
      const FloatEnv default_word;
      for (;;) {
        const size_t from = next.fetch_add(shard_rows, std::memory_order_relaxed);
        if (from >= end || first.before(from)) return;
        const RunResult result =
            run_range(inputs, from, std::min(end, from + shard_rows), outputs, scratches[worker]);
        if (!result) first.add(from, result);
      }
    });
    if (!first.result()) break;
  }
  return first.result();
}

}  // namespace maas
