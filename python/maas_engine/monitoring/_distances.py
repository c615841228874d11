"""How far two sets of counts are apart. Counts are arrays of the same bins, in the same order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[Any]


def population_stability_index(reference: Counts, live: Counts) -> float:
    """Return the population stability index: the sum over bins of (q - p) ln(q / p).

    p and q are the shares of the reference and of the live rows. A bin that only one of them has would make it
    infinite, so each bin gets half a row more in both before shares are taken; bins empty in both are left out. NaN
    where either has no rows.

    Source: Siddiqi, Credit Risk Scorecards (2006), where 0.1 and 0.25 are the limits; it is the symmetric
    Kullback-Leibler divergence (Jeffreys 1946), the half row is Jeffreys' prior.
    """
    p, q = _present(reference, live)
    if not reference.sum() or not live.sum():
        return math.nan
    p, q = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
    return float(np.sum((q - p) * np.log(q / p)))


def jensen_shannon_distance(reference: Counts, live: Counts) -> float:
    """Return the Jensen-Shannon distance to the base 2: 0 for equal shares, 1 where no bin is shared.

    The square root of the divergence (D(p | m) + D(q | m)) / 2 with m = (p + q) / 2, without smoothing. NaN where
    either has no rows.

    Source: Lin, IEEE Trans. Inf. Theory 37 (1991); Endres and Schindelin (2003) for the root, which is a metric.
    ``scipy.spatial.distance.jensenshannon`` with ``base=2`` is the same.
    """
    if not reference.sum() or not live.sum():
        return math.nan
    p, q = _present(reference, live)
    p, q = p / p.sum(), q / q.sum()
    m = (p + q) / 2

    def divergence(a: Counts) -> float:
        some = a > 0
        return float(np.sum(a[some] * np.log2(a[some] / m[some])))

    return math.sqrt(min(max((divergence(p) + divergence(q)) / 2, 0.0), 1.0))


def kolmogorov_smirnov(reference: Counts, live: Counts) -> tuple[float, float]:
    """Return the two-sample Kolmogorov-Smirnov distance and how much larger that of the rows themselves may be.

    The distance is the largest difference of the cumulated shares at the bins' edges. Within bin k both grow from
    their shares F, G at its left to those at its right edge, so nowhere is the difference larger than
    max(F(right) - G(left), G(right) - F(left)): the exact distance lies between the first figure and their sum. NaN
    where either has no rows.

    Source: Smirnov (1939); ``scipy.stats.ks_2samp(...).statistic`` of the rows lies in that interval.
    """
    if not reference.sum() or not live.sum():
        return math.nan, math.nan
    f, g = (np.r_[0.0, np.cumsum(counts)] / counts.sum() for counts in (reference, live))
    distance = float(np.max(np.abs(f - g)))
    most = float(np.max(np.maximum(f[1:] - g[:-1], g[1:] - f[:-1])))
    return distance, max(most - distance, 0.0)


def chance_level(bins: int, reference_rows: float, rows: float) -> float:
    """Return what the stability index of two samples of one distribution exceeds once in a thousand times.

    It is about (1 / n + 1 / m) chi² of bins - 1 degrees of freedom; its quantile is that of Wilson and Hilferty.

    Source: Yurdakul, Statistical properties of the population stability index (2018).
    """
    if not reference_rows or not rows:
        return math.inf
    freedom = max(bins - 1, 1)
    chi2 = freedom * (1 - 2 / (9 * freedom) + 3.0902 * math.sqrt(2 / (9 * freedom))) ** 3
    return (1 / reference_rows + 1 / rows) * chi2


def _present(reference: Counts, live: Counts) -> tuple[Counts, Counts]:
    some = (reference + live) > 0
    return reference[some].astype(np.float64), live[some].astype(np.float64)
