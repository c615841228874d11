"""Process-wide settings: how many threads, which SIMD target, which random numbers."""

from __future__ import annotations

import itertools
import operator
import os
from types import TracebackType
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine.errors import InvalidArgument, Unsupported


def get_num_threads() -> int:
    """Return how many threads one call into the engine may use, the caller's included.

    Unless set, it is ``MAAS_NUM_THREADS`` or ``OMP_NUM_THREADS``, else the least of hardware threads, CPU
    affinity and cgroup quota.
    """
    return _core.num_threads()


def set_num_threads(n: int) -> None:
    """Let each call into the engine use ``n`` threads, for the whole process.

    Results do not depend on it, bit for bit.

    Raises
    ------
    InvalidArgument : ``n`` is not in 1 ... 1024.
    TypeError : ``n`` is not an integer.
    """
    n = operator.index(n)
    if not 1 <= n <= 1024:
        raise InvalidArgument(f"[set_num_threads] expected 1 to 1024 threads, got {n}")
    _core.set_num_threads(n)


class num_threads:  # used like a function: with num_threads(2): ...
    """Context manager: ``n`` threads inside the block, the earlier number again after it.

    The setting is the process's, so blocks of different Python threads should not overlap.

    Parameters
    ----------
    n : int, 1 ... 1024

    Attributes
    ----------
    n : int, as given

    Examples
    --------
    >>> with num_threads(1):
    ...     get_num_threads()
    1
    """

    def __init__(self, n: int) -> None:
        self.n = operator.index(n)
        self._before: list[int] = []  # one a nesting level, so that one object may be entered again

    def __enter__(self) -> num_threads:
        before = get_num_threads()
        set_num_threads(self.n)
        self._before.append(before)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        set_num_threads(self._before.pop())


class _Seeds:
    """The seeds handed out for ``random_state=None``; the n-th depends on the process's seed and n alone."""

    def __init__(self, seed: int | None) -> None:
        self.seed = seed
        self.count = itertools.count()  # next() is atomic, so threads never share a seed

    def next(self) -> int:
        if self.seed is None:
            return int(np.random.randint(0, 2**63, dtype=np.int64))  # noqa: NPY002
        return _core.derived_seed(self.seed, next(self.count))


_seeds = _Seeds(None)


def set_seed(seed: int | None) -> None:
    """Make everything trained with ``random_state=None`` from now on repeatable.

    Parameters
    ----------
    seed : int in 0 ... 2**64 - 1, or None
        None is the state at start: as in scikit-learn, numbers then come from numpy's global generator, which
        ``numpy.random.seed`` makes repeatable.

    Raises
    ------
    InvalidArgument : ``seed`` is out of range.
    TypeError : ``seed`` is not an integer.
    """
    global _seeds
    if seed is not None:
        seed = operator.index(seed)
        if not 0 <= seed < 2**64:
            raise InvalidArgument(f"[set_seed] expected 0 to 2**64 - 1, got {seed}")
    _seeds = _Seeds(seed)


def next_seed() -> int:
    """Return the seed for one more estimator without ``random_state``: an int in 0 ... 2**64 - 1."""
    return _seeds.next()


def cpu_info() -> dict[str, Any]:
    """Return what the engine runs on and how.

    Returns
    -------
    dict with the keys
        ``target`` : str, the SIMD target in use, and ``supported_targets`` : list of str, best first.
            ``MAAS_TARGET`` chooses one at start.
        ``fma`` : bool, whether the target has fused multiply-add. Result bits are equal among those that
            have, and among those that have not.
        ``threads`` : int, see :func:`get_num_threads`.
        ``model`` : str, ``cores`` : int (physical), ``hardware_threads`` : int, of the machine.
        ``affinity`` : int, CPUs this process may run on; ``cgroup_quota`` : float, CPUs' worth of time it may
            use, or None without a limit.
        ``l1d_bytes``, ``l2_bytes``, ``l3_bytes`` : int, cache sizes.
        What the system does not tell is 0 or "".
    """
    facts = _core.cpu_facts()
    return {
        "target": _core.active_target(),
        "supported_targets": _core.supported_targets(),
        "fma": _core.target_has_fma(),
        "threads": get_num_threads(),
        **facts,
        "cgroup_quota": facts["cgroup_quota"] or None,
    }


def apply_environment() -> None:
    """Use the SIMD target that ``MAAS_TARGET`` names, if it is set; called once, at import.

    Raises
    ------
    Unsupported : the name is unknown, or not for this CPU and build.
    """
    name = os.environ.get("MAAS_TARGET", "").strip().lower()
    if not name:
        return
    choices = _core.supported_targets()
    if name not in choices:
        raise Unsupported(
            f"[MAAS_TARGET] expected one of {', '.join(choices)} on this CPU and build, got {name!r}"
        )
    _core.set_target(name)
