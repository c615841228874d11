// Minimax coefficients and constants of kernels/math-inl.h, one table a float type. Polynomials run from the
// lowest power up; `error` is the greatest relative error of the approximation itself, before rounding.
#pragma once

#include <cstdint>

namespace maas {

template <class T>
struct MathTable;

template <>
struct MathTable<double> {
  using Bits = uint64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr int kExponentBias = 1023;
  static constexpr Bits kSqrtHalfBits = 0x3FE6A09E667F3BCDu;

  // e^x overflows above kExpMax and is zero below kExpMin; arguments are clamped there.
  static constexpr double kExpMin = -746.0;
  static constexpr double kExpMax = 710.0;
  static constexpr double kLog2E = 0x1.71547652b82fep+0;
  // ln 2 in two parts; n * kLn2High is exact for every exponent n, with or without FMA.
  static constexpr double kLn2High = 0x1.62e42fefa3800p-1;
  static constexpr double kLn2Low = 0x1.ef35793c76730p-45;

  // (e^r - 1 - r) / r^2 for |r| <= ln(2)/2; error 2^-58.
  static constexpr double kExp[] = {0x1.000000000000bp-1,  0x1.5555555555561p-3,  0x1.555555555003fp-5,
                                    0x1.111111110d67ep-7,  0x1.6c16c185a4e96p-10, 0x1.a01a01bac8941p-13,
                                    0x1.a01996984dcc8p-16, 0x1.71dde008366ebp-19, 0x1.28b04643da98cp-22,
                                    0x1.af8526d640637p-26};
  // (2 atanh(s) / s - 2) / s^2 in s^2, for |s| <= 0.2; error 2^-63.
  static constexpr double kLog[] = {0x1.555555555554fp-1, 0x1.999999999c18ep-2, 0x1.24924921e31e4p-2,
                                    0x1.c71c7490ca758p-3, 0x1.745c4a9b737b5p-3, 0x1.3b35c9506938ap-3,
                                    0x1.0dcb005038113p-3, 0x1.1b85b03415e6dp-3};

  // erf(x) / x - 1 in x^2 for |x| <= 1; error 2^-56.9.
  static constexpr double kErfNear[] = {
      0x1.06eba8214db68p-3,  -0x1.812746b0379bdp-2,  0x1.ce2f21a040d21p-4,  -0x1.b82ce311fab6fp-6,
      0x1.565bccf92eaadp-8,  -0x1.c02db03e3cd72p-11, 0x1.f9a2bab00ed8ep-14, -0x1.f4ca4dbca9a02p-17,
      0x1.b97fd5d5cea58p-20, -0x1.5c072df7c0e9ep-23, 0x1.d71b21cf3dcd1p-27, -0x1.abae353b8c9f6p-31};
  // e^(x^2) erfc(x) in (x - c) / (x + c), c = kErfCentre, for 1 <= x <= kErfMax, where erf(x) rounds to 1;
  // error relative to erf 2^-56.3.
  static constexpr double kErfCentre = 2.5;
  static constexpr double kErfMax = 6.0;
  static constexpr double kErfFar[] = {
      0x1.afbb3f3b73412p-3,  -0x1.7ca88dec22bcep-2,  0x1.01c11a73444e9p-2,   -0x1.001154363b745p-3,
      0x1.470ba2b525450p-5,  -0x1.05bafe20865c3p-8,  -0x1.5a56b9063b565p-9,  0x1.cb067694a0b7ap-11,
      0x1.d8e42c27dde1fp-13, -0x1.23208cd0b8a3cp-13, -0x1.beedba16c5a2cp-15, -0x1.0096f634d126fp-20};
};

template <>
struct MathTable<float> {
  using Bits = uint32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr int kExponentBias = 127;
  static constexpr Bits kSqrtHalfBits = 0x3F3504F3u;

  static constexpr float kExpMin = -104.0f;
  static constexpr float kExpMax = 89.0f;
  static constexpr float kLog2E = 0x1.715476p+0f;
  static constexpr float kLn2High = 0x1.62e4p-1f;
  static constexpr float kLn2Low = 0x1.7f7d1cp-20f;

  // As above; error 2^-28.
  static constexpr float kExp[] = {0x1p-1f, 0x1.55548ep-3f, 0x1.55545ep-5f, 0x1.123b54p-7f, 0x1.6db3fap-10f};
  // As above; error 2^-35.
  static constexpr float kLog[] = {0x1.555554p-1f, 0x1.999bep-2f, 0x1.23e8dep-2f, 0x1.eda372p-3f};

  // erf(x) / x - 1 in x^2 for |x| <= 1; error 2^-29.6.
  static constexpr float kErfNear[] = {0x1.06eba8p-3f, -0x1.81273ep-2f,  0x1.ce2cf8p-4f, -0x1.b7f91p-6f,
                                       0x1.5405bep-8f, -0x1.a3f71ep-11f, 0x1.496a12p-14f};
  // e^(x^2) erfc(x) in (x - c) / (x + c), c = kErfCentre, for 1 <= x <= kErfMax, where erf(x) rounds to 1;
  // error relative to erf 2^-34.7.
  static constexpr float kErfCentre = 2.0f;
  static constexpr float kErfMax = 4.0f;
  static constexpr float kErfFar[] = {0x1.058672p-2f,  -0x1.b57036p-2f, 0x1.eeea02p-3f,
                                      -0x1.4387c4p-4f, 0x1.e8dd82p-9f,  0x1.d8ae74p-8f};
};

}  // namespace maas
