#include "maas/base/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <thread>

#include "maas/base/error.h"
#include "maas/base/float_env.h"
#include "maas/base/interrupt.h"
#include "maas/base/thread_count.h"

namespace maas {

namespace {

// Longer than the gap between two passes of a fit, so its workers stay awake; short enough that on a busy
// core the waiting thread soon gives its time to whoever has the work.
constexpr auto kSpin = std::chrono::microseconds(40);

std::atomic<int> threads_wanted{0};  // 0: not decided yet
thread_local bool is_worker = false;

inline void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns once `word` is no longer `old`: spins for kSpin, then sleeps until notified.
void wait_for_change(const std::atomic<uint32_t>& word, uint32_t old) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (word.load(std::memory_order_acquire) != old) return;
      cpu_relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  word.wait(old, std::memory_order_acquire);
}

// One call of parallel_for. Lives on its caller's stack; workers may touch it between join and leave only.
struct Job {
  detail::TaskFn fn;
  void* context;
  size_t tasks;
  int threads;
  alignas(64) std::atomic<size_t> next{0};
  std::atomic<bool> stopped{false};
  std::exception_ptr error{};  // written by the thread that set `stopped`, read after the last leave

  void run(int worker) {
    try {
      while (!stopped.load(std::memory_order_relaxed)) {
        const size_t task = next.fetch_add(1, std::memory_order_relaxed);
        if (task >= tasks) return;
        fn(context, task, worker);
        if (!is_worker) poll_interrupt();
      }
    } catch (...) {
      if (!stopped.exchange(true)) error = std::current_exception();
    }
  }
};

void run_inline(size_t tasks, detail::TaskFn fn, void* context) {
  for (size_t task = 0; task < tasks; ++task) {
    fn(context, task, 0);
    if (!is_worker) poll_interrupt();
  }
}

// Holds one job at a time. A caller never waits for a worker that has not begun: workers join a job while it
// is open, the caller closes it when no task is left and waits for those who joined. So a worker that the
// system does not schedule costs nothing but its share.
class Pool {
 public:
  // Returns false, having done nothing, when another call holds the pool.
  bool run(Job& job) {
    if (busy_.exchange(true, std::memory_order_acquire)) return false;
    start_workers(job.threads - 1);
    job_ = &job;
    gate_.store(kOpen, std::memory_order_release);
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    job.run(0);
    close();
    busy_.store(false, std::memory_order_release);
    return true;
  }

 private:
  static constexpr uint32_t kOpen = uint32_t{1} << 31;

  // Workers are detached and never stopped: at exit they sleep on words that are never destroyed.
  void start_workers(int count) {
    if (started_ >= count) return;
    // Signals stay with the application's threads: Python's main thread must be the one to wake for Ctrl-C.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; started_ < count; ++started_) {
        const uint32_t seen = generation_.load(std::memory_order_relaxed);
        std::thread([this, index = started_ + 1, seen] { work(index, seen); }).detach();
      }
    } catch (const std::system_error&) {
      // No more threads to be had: the job is done by those there are.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void work(int index, uint32_t seen) {
    is_worker = true;
    const FloatEnv default_word;  // a new thread inherits its creator's
    for (;;) {
      wait_for_change(generation_, seen);
      seen = generation_.load(std::memory_order_acquire);
      if (!join()) continue;
      if (index < job_->threads) job_->run(index);
      leave();
    }
  }

  bool join() {
    uint32_t gate = gate_.load(std::memory_order_relaxed);
    while (gate & kOpen) {
      if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }

  void leave() {
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) == 1) gate_.notify_one();
  }

  void close() {
    uint32_t gate = gate_.fetch_and(~kOpen, std::memory_order_acq_rel) & ~kOpen;
    while (gate != 0) {
      wait_for_change(gate_, gate);
      gate = gate_.load(std::memory_order_acquire);
    }
  }

  alignas(64) std::atomic<uint32_t> generation_{0};  // bumped for each job; idle workers wait on it
  alignas(64) std::atomic<uint32_t> gate_{0};        // kOpen, plus the number of workers inside the job
  alignas(64) std::atomic<bool> busy_{false};        // guards what follows
  int started_ = 0;
  Job* job_ = nullptr;
};

// Never destroyed, because workers outlive static destructors. A forked child has none of the workers and
// may have been forked in the middle of a job, so it begins with a new pool in the same place.
Pool& pool() {
  alignas(Pool) static unsigned char storage[sizeof(Pool)];
  static Pool* const instance = [] {
    pthread_atfork(nullptr, nullptr, [] { new (storage) Pool; });
    return new (storage) Pool;
  }();
  return *instance;
}

}  // namespace

int num_threads() {
  int threads = threads_wanted.load(std::memory_order_relaxed);
  if (threads == 0) {
    const int default_threads = default_num_threads();
    // Another thread may have decided meanwhile: `threads` is then its choice.
    if (threads_wanted.compare_exchange_strong(threads, default_threads)) threads = default_threads;
  }
  return threads;
}

void set_num_threads(int n) {
  if (n < 1 || n > kMaxThreads) {
    throw_invalid("set_num_threads",
                  "expected 1 to " + std::to_string(kMaxThreads) + " threads, got " + std::to_string(n));
  }
  threads_wanted.store(n, std::memory_order_relaxed);
}

void detail::run_tasks(size_t tasks, TaskFn fn, void* context) {
  const int threads = num_threads();
  if (tasks <= 1 || threads == 1 || is_worker) return run_inline(tasks, fn, context);
  Job job{fn, context, tasks, threads};
  if (!pool().run(job)) return run_inline(tasks, fn, context);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace maas
