#include "maas/base/interrupt.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "maas/base/error.h"

namespace maas {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPeriod = std::chrono::milliseconds(20);
constexpr auto kLongestPeriod = std::chrono::milliseconds(100);

std::atomic<InterruptHook> installed_hook{nullptr};
thread_local Clock::time_point next_poll{};
thread_local int held = 0;

}  // namespace

void set_interrupt_hook(InterruptHook hook) { installed_hook.store(hook); }

HoldInterrupts::HoldInterrupts() { ++held; }
HoldInterrupts::~HoldInterrupts() { --held; }

void poll_interrupt() {
  const InterruptHook hook = installed_hook.load(std::memory_order_acquire);
  if (hook == nullptr || held > 0) return;
  const auto begin = Clock::now();
  if (begin < next_poll) return;
  const bool stop = hook();
  const auto end = Clock::now();
  // The hook may have to wait for the interpreter, which another thread keeps busy: then ask less often, so
  // that waiting takes no more than a twentieth of the time.
  next_poll = end + std::clamp<Clock::duration>(20 * (end - begin), kPeriod, kLongestPeriod);
  if (stop) throw Interrupted();
}

}  // namespace maas
