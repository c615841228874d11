# Flags that decide result bits, warnings and sanitizers: one interface target for every C++ file we build.
add_library(maas_numerics INTERFACE)

# The compiler must neither contract nor reorder: every fused multiply-add is written out (docs/numerics.md).
target_compile_options(maas_numerics INTERFACE -ffp-contract=off -fno-math-errno)

# Highway targets, chosen once for the whole library: SSE4 (baseline, no FMA), AVX2, AVX-512.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(maas_numerics INTERFACE -march=x86-64-v2)
  target_compile_definitions(maas_numerics INTERFACE
    HWY_DISABLE_PCLMUL_AES
    "HWY_DISABLED_TARGETS=(HWY_SCALAR|HWY_EMU128|HWY_SSSE3|HWY_AVX3_DL)")
endif()

target_compile_options(maas_numerics INTERFACE -Wall -Wextra -Wshadow -Wno-psabi)
if(MAAS_WERROR)
  target_compile_options(maas_numerics INTERFACE -Werror)
endif()

if(MAAS_SANITIZE)
  target_compile_options(maas_numerics INTERFACE -fsanitize=${MAAS_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(maas_numerics INTERFACE -fsanitize=${MAAS_SANITIZE})
endif()
