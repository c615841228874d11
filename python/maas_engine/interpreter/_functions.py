"""Functions that the array API lacks, or has without a stable form."""

from __future__ import annotations

import math

from maas_engine.interpreter._namespace import Array, Namespace, dtype_name, dtype_of

# erf(x) = x P(x²) for |x| ≤ 1: its Taylor series, 2/sqrt(π) Σ (-1)^n x^2n / (n! (2n + 1)). The first term left
# out is below 1e-17.
_ERF = [2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(18)]

# (1 + x) exp(x²) erfc(x) for x ≥ 1 as a Chebyshev series in 3t - 1, where t = 2 / (2 + x) is in (0, 2/3]. Fitted to
# scipy.special.erfcx; largest relative error 3e-15.
_ERFC = [
    0.69780049363263,
    0.1465785340323156,
    0.012335592526888758,
    -0.0010490783251663504,
    -0.00046259476132208354,
    -4.1795887429178606e-05,
    4.945464739926791e-06,
    1.1535572537381792e-06,
    -7.076065487835987e-08,
    -2.9797899045902086e-08,
    1.906453768892469e-09,
    8.254240786371949e-10,
    -8.296069238770775e-11,
    -2.3116951835498396e-11,
    4.098556064515322e-12,
    5.521047352212646e-13,
    -1.9533515673773004e-13,
    -4.343385623007693e-15,
    8.356366182911671e-15,
]


def _in_double(xp: Namespace, x: Array) -> Array:
    return xp.astype(x, xp.float64) if dtype_name(x) == "float32" else x


def _erf_small(x: Array) -> Array:
    """erf where |x| ≤ 1."""
    square = x * x
    total = _ERF[-1] * square
    for coefficient in _ERF[-2:0:-1]:
        total = (total + coefficient) * square
    return x * (total + _ERF[0])


def _erfc_large(xp: Namespace, x: Array) -> Array:
    """erfc where x ≥ 1."""
    variable = 6.0 / (2.0 + x) - 1.0
    after, last = xp.zeros_like(x), xp.zeros_like(x)  # Clenshaw's recurrence
    for coefficient in _ERFC[:0:-1]:
        last, after = coefficient + 2.0 * variable * last - after, last
    series = _ERFC[0] + variable * last - after
    return series / (1.0 + x) * xp.exp(-x * x)


def erf(xp: Namespace, x: Array) -> Array:
    """The error function: within 4 ULP in float64, 1 in float32 (computed in float64); NaN stays NaN."""
    value = _in_double(xp, x)
    size = xp.abs(value)
    bounded = xp.minimum(xp.maximum(size, xp.ones_like(size)), xp.full_like(size, 6.0))  # erf(6) rounds to 1
    small = _erf_small(xp.where(size > 1.0, xp.ones_like(size), size))
    total = xp.where(size > 1.0, 1.0 - _erfc_large(xp, bounded), small)
    return xp.astype(xp.where(value < 0.0, -total, total), x.dtype)


def normal_cdf(xp: Namespace, x: Array) -> Array:
    """erfc(-x / sqrt(2)) / 2, without the cancellation of 1 + erf below zero.

    The relative error grows with x² to 1e-13 in float64 where the result nears the smallest number.
    """
    value = _in_double(xp, x) * math.sqrt(0.5)
    size = xp.abs(value)
    beyond_one = xp.maximum(size, xp.ones_like(size))
    tail = _erfc_large(xp, xp.minimum(beyond_one, xp.full_like(size, 40.0)))  # 0 in float64
    inner = _erf_small(xp.where(size > 1.0, xp.ones_like(size), size))
    lower = 0.5 * xp.where(size > 1.0, tail, 1.0 - inner)  # at -|x|
    return xp.astype(xp.where(value < 0.0, lower, 1.0 - lower), x.dtype)


def sigmoid(xp: Namespace, x: Array) -> Array:
    """1 / (1 + e^-x) with relative accuracy on both sides."""
    small = xp.exp(-xp.abs(x))
    return xp.where(x < 0, small, xp.ones_like(x)) / (1.0 + small)


def softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    return xp.maximum(x, xp.zeros_like(x)) + xp.log1p(xp.exp(-xp.abs(x)))


def log_sum_exp(xp: Namespace, x: Array, axis: tuple[int, ...], keepdims: bool) -> Array:
    """log Σ e^x, shifted by the largest element; -inf of none."""
    if 0 in (x.shape[a] for a in axis):
        return xp.log(xp.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype))
    largest = xp.max(x, axis=axis, keepdims=True)
    shift = xp.where(xp.isfinite(largest), largest, xp.zeros_like(largest))
    total = xp.log(xp.sum(xp.exp(x - shift), axis=axis, keepdims=True, dtype=x.dtype)) + shift
    return total if keepdims else xp.squeeze(total, axis=axis)


def dtype_limits(xp: Namespace, dtype: str) -> tuple[float | int, float | int]:
    """The least and the largest value of a type; infinities of a float."""
    if dtype == "bool":
        return 0, 1
    if dtype in ("float32", "float64"):
        return -math.inf, math.inf
    limits = xp.iinfo(dtype_of(xp, dtype))
    return int(limits.min), int(limits.max)
