"""The folds of a cross-validation of least squares: which row is tested where, and the moments of each side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine import _core

Array = NDArray[Any]
Folds = Sequence[tuple[Array, Array]]


class BlockFolds(Sequence[tuple[Array, Array]]):
    """The folds of scikit-learn's KFold without shuffling: blocks of neighbours, written down when asked for."""

    def __init__(self, n_samples: int, n_folds: int) -> None:
        self.sizes = np.full(n_folds, n_samples // n_folds)
        self.sizes[: n_samples % n_folds] += 1
        self.ends = np.cumsum(self.sizes)

    def numbers(self) -> NDArray[np.int32]:
        """Return the fold each row is tested in, as :func:`fold_numbers`."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, k: Any) -> Any:
        rows = np.arange(self.ends[-1])
        begin, end = self.ends[k] - self.sizes[k], self.ends[k]
        return np.concatenate([rows[:begin], rows[end:]]), rows[begin:end]


def fold_numbers(folds: Folds, n_samples: int) -> NDArray[np.int32] | None:
    """Return the fold each row is tested in, -1 for none, or None where the folds are not such a partition.

    Parameters
    ----------
    folds : (train indices, test indices) a fold. A partition tests no row twice and trains each fold on all
        rows it does not test, each once.
    n_samples : number of rows
    """
    numbers = np.full(n_samples, -1, dtype=np.int32)
    for k, (train, test) in enumerate(folds):
        train, test = np.asarray(train), np.asarray(test)
        if train.dtype.kind not in "iu" or test.dtype.kind not in "iu":
            return None
        if len(train) + len(test) != n_samples or not len(train) or not len(test):
            return None
        if min(train.min(), test.min()) < 0 or max(train.max(), test.max()) >= n_samples:
            return None
        if (numbers[test] >= 0).any():
            return None
        numbers[test] = k
        seen = np.zeros(n_samples, dtype=bool)
        seen[train] = True
        seen[test] = True
        if not seen.all():
            return None
    return numbers


def training_states(
    X: Array, targets: Array, weights: NDArray[np.float64] | None, numbers: NDArray[np.int32], n_folds: int
) -> tuple[list[_core.GramState], list[_core.GramState]]:
    """Return each fold's moments and those of its training rows, from one pass over the rows.

    Parameters
    ----------
    X : float32 or float64, shape (n_samples, n_features)
    targets : type of ``X``, shape (n_samples, n_targets)
    weights : shape (n_samples,), or None
    numbers, n_folds : as from :func:`fold_numbers`
    """
    states = _core.fold_gram_states(X, targets, weights, numbers, n_folds)
    return states[:-1], _core.training_states(states)


def rows_of(indices: Array) -> Any:
    """Return ``indices`` as a slice where they are neighbours in order, so that taking them copies nothing."""
    first, last = int(indices[0]), int(indices[-1])
    if last - first + 1 == len(indices) and (np.diff(indices) == 1).all():
        return slice(first, last + 1)
    return indices
