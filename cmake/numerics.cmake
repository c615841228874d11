# Flags that decide result bits, warnings and sanitizers: one interface target for every C++ file we build.
add_library(maas_numerics INTERFACE)

# The compiler must neither contract nor reorder: every fused multiply-add is written out (docs/numerics.md).
target_compile_options(maas_numerics INTERFACE -ffp-contract=off -fno-math-errno)

# Highway targets, chosen once for the whole library: SSE4 (baseline, no FMA), AVX2 and AVX-512, or NEON. The
# others would only lengthen the build. Names differ between Highway releases, so each is tried.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(maas_numerics INTERFACE -march=x86-64-v2)
  target_compile_definitions(maas_numerics INTERFACE HWY_DISABLE_PCLMUL_AES)
  set(unwanted SSE2 SSSE3 AVX3_DL AVX3_ZEN4 AVX3_SPR AVX10_2)
else()
  set(unwanted SVE SVE_256 SVE2 SVE2_128)
endif()

include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_INCLUDES ${HWY_INCLUDE_DIRS})
set(disabled HWY_SCALAR HWY_EMU128)
foreach(target ${unwanted})
  check_cxx_source_compiles("
    #include <hwy/detect_targets.h>
    int main() { return static_cast<int>(HWY_${target} & 1); }" MAAS_HWY_HAS_${target})
  if(MAAS_HWY_HAS_${target})
    list(APPEND disabled HWY_${target})
  endif()
endforeach()
unset(CMAKE_REQUIRED_INCLUDES)
list(JOIN disabled "|" disabled)
target_compile_definitions(maas_numerics INTERFACE "HWY_DISABLED_TARGETS=(${disabled})")

target_compile_options(maas_numerics INTERFACE -Wall -Wextra -Wshadow -Wno-psabi)
if(MAAS_WERROR)
  target_compile_options(maas_numerics INTERFACE -Werror)
endif()

if(MAAS_SANITIZE)
  target_compile_options(maas_numerics INTERFACE -fsanitize=${MAAS_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(maas_numerics INTERFACE -fsanitize=${MAAS_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It warns of its own instrumented std::variant.
    target_compile_options(maas_numerics INTERFACE -Wno-maybe-uninitialized)
    # Half the time to compile: checks of memory are calls, and those of each pointer that is followed are left to
    # the fuzz targets, which clang compiles.
    if(MAAS_SANITIZE MATCHES "address")
      target_compile_options(maas_numerics INTERFACE "SHELL:--param asan-instrumentation-with-call-threshold=0")
    endif()
    if(MAAS_SANITIZE MATCHES "undefined")
      target_compile_options(maas_numerics INTERFACE -fno-sanitize=null,alignment,object-size,vptr)
    endif()
  endif()
endif()
