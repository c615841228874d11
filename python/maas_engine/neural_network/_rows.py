"""Rows to train on: an array goes to the engine as it is, sparse rows in dense blocks of whole batches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from maas_engine import _core

Array = NDArray[Any]

_BLOCK = 1 << 20  # values of a dense block


class Rows(NamedTuple):
    """What is learned from.

    Attributes
    ----------
    X : dense of any layout, or CSR; shape (n, features)
    y : as ``_core.Trainer`` takes targets, n rows
    weight : float64 (n,), or None
    """

    X: Any
    y: Array
    weight: NDArray[np.float64] | None

    def run(
        self,
        trainer: _core.Trainer,
        order: NDArray[np.uint32] | None,
        batch_size: int,
        rates: NDArray[np.float64],
    ) -> _core.TrainResult:
        """Take a step for each batch of the rows listed in ``order``, with these learning rates."""
        if not issparse(self.X):
            return trainer.run(self.X, self.y, self.weight, order, batch_size, rates)
        order = np.arange(self.X.shape[0], dtype=np.uint32) if order is None else order
        batches = max(1, _BLOCK // max(1, batch_size * self.X.shape[1]))
        total: _core.TrainResult | None = None
        for step in range(0, len(rates), batches):
            part = order[step * batch_size : (step + batches) * batch_size]
            block = self._dense(part)
            result = trainer.run(*block, None, batch_size, rates[step : step + batches])
            if total is None:
                total = result
            else:
                total.merge(result)
            if total.bad_step is not None:
                break
        assert total is not None
        return total

    def gradient(self, trainer: _core.Trainer, penalties: list[float]) -> tuple[float, list[Array]]:
        """Return the mean loss over all rows, penalties included, and its gradients.

        Parameters
        ----------
        trainer : one without penalties where X is sparse
        penalties : those left out of it: the factor of each parameter's sum of squares, over the rows' weight
        """
        if not issparse(self.X):
            return trainer.gradient(self.X, self.y, self.weight), trainer.gradients()
        n, features = self.X.shape
        size = max(1, _BLOCK // max(1, features))
        loss, gradients = 0.0, [np.zeros(values.shape) for values in trainer.get_parameters()]
        weight_sum = float(n if self.weight is None else self.weight.sum())
        for first in range(0, n, size):
            rows, y, weight = self._dense(np.arange(first, min(n, first + size)))
            share = (len(rows) if weight is None else float(weight.sum())) / weight_sum
            if share == 0:
                continue
            loss += share * trainer.gradient(rows, y, weight)
            for total, part in zip(gradients, trainer.gradients(), strict=True):
                total += share * part
        for factor, values, total in zip(penalties, trainer.get_parameters(), gradients, strict=True):
            loss += factor / weight_sum * float(np.vdot(values, values))
            total += 2 * factor / weight_sum * values
        return loss, gradients

    def _dense(self, rows: Array) -> tuple[Array, Array, Array | None]:
        weight = None if self.weight is None else self.weight[rows]
        return self.X[rows].toarray(), self.y[rows], weight
