// The floating-point control word that result bits are promised for: round to nearest, subnormals kept,
// exceptions masked. A library loaded earlier (or the caller) may have set another one for its thread.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#include <cfenv>
#endif

namespace maas {

// Sets the default word for the current thread and gives the caller's back, flags included, when it dies.
// Hold one around a whole call into the engine; the arithmetic must be in functions called meanwhile, since
// a compiler may move arithmetic of the same function across it.
class FloatEnv {
 public:
  FloatEnv() { exchange(); }
  ~FloatEnv() { restore(); }
  FloatEnv(const FloatEnv&) = delete;
  FloatEnv& operator=(const FloatEnv&) = delete;

 private:
#if defined(__x86_64__)
  void exchange() {
    saved_ = _mm_getcsr();
    _mm_setcsr(0x1F80);  // the value at process start: masks set, everything else clear
  }
  void restore() { _mm_setcsr(saved_); }
  uint32_t saved_;
#elif defined(__aarch64__)
  void exchange() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"(uint64_t{0}));
  }
  void restore() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }
  uint64_t saved_;
#else
  void exchange() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  void restore() { std::fesetenv(&saved_); }
  std::fenv_t saved_;
#endif
};

}  // namespace maas
