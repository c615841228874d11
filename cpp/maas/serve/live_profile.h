// Counts of the rows that a model is asked and answers, to compare with those of its reference.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maas/metrics/profile_state.h"
#include "maas/program/program.h"

namespace maas::serve {

// A column of a profile: an element of the rows of an input or an output, which may be one that this program
// does not put out.
struct ProfiledColumn {
  bool is_output = false;
  std::string field;
  size_t item = 0;  // of the row, in row-major order
};

// Threads count into shards of their own; who reads takes the shards' counts out and keeps their sum, so that
// no thread waits for more than an exchange. No row is kept.
class LiveProfile {
 public:
  // `state`: one of the reference's, one column each of `columns`; what it has counted is forgotten. Throws
  // InvalidArgument for another number of columns.
  LiveProfile(const Program& program, const std::vector<ProfiledColumn>& columns, const ProfileState& state);

  // What a run took and gave. Nothing is counted where there is no memory for this thread's shard.
  void count(const InputArray* inputs, std::span<void* const> outputs, size_t rows) noexcept;

  // All that was counted so far.
  ProfileState collect();
  std::chrono::system_clock::time_point since() const { return since_; }

 private:
  static constexpr size_t kShards = 64;  // threads beyond them share
  static constexpr size_t kNowhere = SIZE_MAX;

  struct Place {
    bool is_output = false;
    size_t index = kNowhere, item = 0;
    ptrdiff_t row_size = 0;         // elements of an output's row
    DType dtype = DType::kFloat32;  // of an output
  };
  struct Shard {
    std::mutex mutex;
    std::optional<ProfileState> state;
    std::vector<ProfileColumn> batch;  // room for a call of count()
  };

  static size_t shard_of_this_thread();
  void view(const InputArray* inputs, std::span<void* const> outputs, size_t rows,
            std::vector<ProfileColumn>& batch) const noexcept;

  const std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
  std::vector<Place> places_;
  std::array<Shard, kShards> shards_;
  const ProfileState empty_;
  std::mutex mutex_;  // of total_
  ProfileState total_;
};

}  // namespace maas::serve
