// Any bytes are read as a state or refused with FormatError; what was read writes bytes that read back the
// same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "maas/metrics/accuracy.h"
#include "maas/metrics/binned_auc.h"
#include "maas/metrics/category_state.h"
#include "maas/metrics/confusion_state.h"
#include "maas/metrics/histogram_state.h"
#include "maas/metrics/log_loss.h"
#include "maas/metrics/ranking_state.h"
#include "maas/metrics/regression_state.h"
#include "maas/metrics/state_bytes.h"

namespace {

template <class State>
void read(std::string_view bytes) {
  std::string written;
  try {
    State state = maas::state_from_bytes<State>(bytes);
    written = maas::state_to_bytes(state);
    state.merge(maas::state_from_bytes<State>(written));
  } catch (const maas::Error& error) {
    if (error.code() != maas::ErrorCode::kFormatError) std::abort();
    return;
  }
  if (written != bytes) std::abort();  // one form of each state
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read<maas::AccuracyState>(bytes);
  read<maas::ConfusionState>(bytes);
  read<maas::RegressionState>(bytes);
  read<maas::RankingState>(bytes);
  read<maas::LogLossState>(bytes);
  read<maas::BinnedAucState>(bytes);
  read<maas::HistogramState>(bytes);
  read<maas::CategoryState>(bytes);
  return 0;
}
