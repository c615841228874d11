"""Compiled models of one set of weights, one for each type of rows: what estimators predict with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from maas_engine.graph import GraphBuilder
from maas_engine.model import Model

Array = NDArray[Any]
Roles = dict[str, str]  # a method of Model -> the value it gives
Write = Callable[[GraphBuilder, str, Sequence[Array], Sequence[Array]], Roles]

_SPARSE_BLOCK = 1 << 20  # values of a dense block of sparse rows


class Predictor:
    """Predicts with weights that must not change; rows of float64 are computed in float64.

    Parameters
    ----------
    write : adds the nodes and outputs of a model to a builder, for rows of the given name and the weights
    coefs, intercepts : kept, and made read-only: assign others to the estimator instead of changing them
    """

    def __init__(self, write: Write, coefs: Sequence[Array], intercepts: Sequence[Array]) -> None:
        self._write = write
        self._weights = [*coefs, *intercepts]
        self._layers = len(coefs)
        for values in self._weights:
            values.setflags(write=False)
        self._models: dict[str, Model] = {}

    def is_of(self, coefs: Sequence[Array], intercepts: Sequence[Array]) -> bool:
        """Whether these are the very arrays it was made of."""
        given = [*coefs, *intercepts]
        return len(given) == len(self._weights) and all(
            mine is other for mine, other in zip(self._weights, given, strict=True)
        )

    def run(self, method: str, X: Any) -> Array:
        """Return what ``method`` of the model gives for ``X``: dense or CSR, float32 or float64."""
        answer = getattr(self._model(X.dtype), method)
        if not issparse(X):
            return np.asarray(answer(X))
        rows = max(1, _SPARSE_BLOCK // max(1, X.shape[1]))
        blocks = [answer(X[first : first + rows].toarray()) for first in range(0, X.shape[0], rows)]
        return np.concatenate(blocks)

    def _model(self, rows: Any) -> Model:
        dtype = np.promote_types(self._weights[0].dtype, rows)
        model = self._models.get(dtype.char)
        if model is None:
            weights = [values.astype(dtype, copy=False) for values in self._weights]
            builder = GraphBuilder("mlp")
            x = builder.input("X", dtype, (None, len(weights[0])))
            roles = self._write(builder, x, weights[: self._layers], weights[self._layers :])
            metadata = {f"maas_engine.{role}": value for role, value in roles.items()}
            model = self._models[dtype.char] = Model(builder.build(metadata))
        return model
