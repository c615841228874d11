"""Early stopping: the rows held out, and the score on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split

from maas_engine.neural_network._predictor import Predictor
from maas_engine.neural_network._rows import Rows

Array = NDArray[Any]

_BLOCK = 1 << 20  # values of a block of rows


def split(
    estimator: Any, rows: Rows, random: np.random.RandomState
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the rows to learn from and those held out: scikit-learn's, for the same random numbers.

    As there, two classes are stratified and more are not.

    Raises
    ------
    ValueError : fewer than two rows to hold out.
    """
    stratify = rows.y if is_classifier(estimator) and estimator.n_outputs_ == 1 else None
    train, held_out = train_test_split(
        np.arange(rows.X.shape[0], dtype=np.uint32),
        random_state=random,
        test_size=estimator.validation_fraction,
        stratify=stratify,
    )
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
        )
    return train, held_out


def held_out_score(
    estimator: Any, rows: Rows, weight: Array | None, held_out: NDArray[np.uint32]
) -> Callable[[list[Array]], float]:
    """Return the function from weights of the network to the score on the rows ``held_out``.

    Parameters
    ----------
    weight : the user's, without those of classes
    """
    y = rows.y[held_out]
    held_weight = None if weight is None else weight[held_out]
    if held_weight is not None and not held_weight.any():
        raise ValueError(
            "The sample weights for validation set are all zero, consider using a different random state."
        )
    size = max(1, _BLOCK // max(1, rows.X.shape[1]))

    def score(weights: list[Array]) -> float:
        layers = len(weights) // 2
        predictor = Predictor(estimator._write_answers, weights[:layers], weights[layers:])
        blocks = (held_out[first : first + size] for first in range(0, len(held_out), size))
        answers = np.concatenate([predictor.run("predict", rows.X[block]) for block in blocks])
        return float(estimator._score_answers(y, answers, held_weight))

    return score
