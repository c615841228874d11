"""The fitted attributes of LogisticRegressionCV in scikit-learn's present and coming shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.linear_model._base import Array
from maas_engine.linear_model._logistic_cv_parameters import Settings


def set_attributes(
    estimator: Any,
    settings: Settings,
    best_c: float,
    best_ratio: Any,
    coef: Array,
    scores: NDArray[np.float64],
    n_iter: NDArray[np.int32],
) -> None:
    """Set ``C_``, ``l1_ratio_``, ``coefs_paths_``, ``scores_`` and ``n_iter_``.

    Parameters
    ----------
    coef : folds × l1_ratios × Cs × outputs × features, the intercept last
    scores, n_iter : folds × l1_ratios × Cs
    """
    estimator.Cs_ = settings.Cs
    estimator.l1_ratios_ = np.asarray(settings.l1_ratios)
    if not settings.legacy:
        estimator.C_ = float(best_c)
        estimator.l1_ratio_ = float(best_ratio if settings.given_ratios else settings.shares[0])
        estimator.coefs_paths_, estimator.scores_, estimator.n_iter_ = coef, scores, n_iter
        return
    outputs = coef.shape[3]
    estimator.C_ = np.tile(np.asarray([best_c]), outputs)
    estimator.l1_ratio_ = np.tile(np.asarray([best_ratio]), outputs)
    paths = np.moveaxis(coef, (3, 2, 1), (0, 2, 3))  # outputs × folds × Cs × l1_ratios × features
    by_c = np.swapaxes(scores, 1, 2)
    steps = np.swapaxes(n_iter, 1, 2)[None]
    if not settings.given_ratios:
        paths, by_c, steps = paths[:, :, :, 0], by_c[:, :, 0], steps[..., 0]
    labels = estimator.classes_[-1:] if outputs == 1 else estimator.classes_
    estimator.coefs_paths_ = dict(zip(labels, paths, strict=True))
    estimator.scores_ = {label: by_c.copy() for label in labels}
    estimator.n_iter_ = steps
