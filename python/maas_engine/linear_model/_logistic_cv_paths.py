"""The models of all folds along a path of penalties, with their scores: shared passes where possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from maas_engine.linear_model._base import Array
from maas_engine.linear_model._folds import fold_numbers
from maas_engine.linear_model._logistic_cv_scores import fused_scores, unfused_scores
from maas_engine.linear_model._logistic_folds import FUSED_SOLVERS, StackedFits, fit_stacked

# Makes an unfitted LogisticRegression with the estimator's settings and the given C and l1_ratio.
Member = Callable[..., Any]


class Problem(NamedTuple):
    """What is fitted and scored, by rows."""

    X: Any
    y: Array  # labels as given
    targets: Array  # class numbers in the type of X
    weights: Array | None  # of the fits, the type of X
    classes: Array
    trains: list[NDArray[np.intp]]
    tests: list[NDArray[np.intp]]
    Cs: NDArray[np.float64]
    scoring: Any
    score_params: dict[str, Any]

    @property
    def outputs(self) -> int:
        return 1 if len(self.classes) == 2 else len(self.classes)

    def training_rows(self, fold: int) -> tuple[Any, Array, Array | None]:
        rows = self.trains[fold]
        return self.X[rows], self.targets[rows], None if self.weights is None else self.weights[rows]


class Paths(NamedTuple):
    """Folds × penalties, and the models on all rows (penalties × ...) where they came along."""

    coef: Array
    intercept: Array
    n_iter: NDArray[np.int32]
    scores: NDArray[np.float64]
    unfinished: int
    full: tuple[Array, Array] | None


def solve_paths(problem: Problem, member: Member, share: float) -> Paths:
    """Fit and score all folds and penalties for one L1 share of the penalty."""
    example = member(C=1.0, l1_ratio=share)
    example._checked_penalty()  # refuses what the solver does not offer
    full = None
    fold_of_row = None
    if share == 0 and example.solver in FUSED_SOLVERS and not issparse(problem.X):
        fold_of_row = fold_numbers(list(zip(problem.trains, problem.tests, strict=True)), len(problem.y))
        if fold_of_row is not None:
            fits = _stacked(problem, example, (problem.X, problem.targets, problem.weights), fold_of_row)
            full = fits.coef[0], fits.intercept[0]
            coef, intercept, n_iter = fits.coef[1:], fits.intercept[1:], fits.n_iter[1:]
            status = fits.status
        else:
            coef, intercept, n_iter, status = _stacked_by_fold(problem, example)
    else:
        coef, intercept, n_iter, status = _one_by_one(problem, member, share)
    scores = _scores(problem, member(C=1.0, l1_ratio=share), fold_of_row, coef, intercept)
    unfinished = sum(name != "converged" for name in status)
    return Paths(coef, intercept, n_iter, scores, unfinished, full)


def _stacked(
    problem: Problem, example: Any, rows: tuple[Any, Array, Array | None], fold_of_row: Any
) -> StackedFits:
    X, targets, weights = rows
    return fit_stacked(
        X,
        targets,
        weights,
        fold_of_row,
        0 if fold_of_row is None else len(problem.tests),
        outputs=problem.outputs,
        fit_intercept=example.fit_intercept,
        inverse_cs=1.0 / problem.Cs,
        tol=example.tol,
        max_iter=example.max_iter,
    )


def _stacked_by_fold(problem: Problem, example: Any) -> Any:
    """Folds whose rows overlap in other ways share passes between penalties only."""
    fits = [_stacked(problem, example, problem.training_rows(k), None) for k in range(len(problem.trains))]
    return (
        np.stack([fit.coef[0] for fit in fits]),
        np.stack([fit.intercept[0] for fit in fits]),
        np.stack([fit.n_iter[0] for fit in fits]),
        [name for fit in fits for name in fit.status],
    )


def _one_by_one(problem: Problem, member: Member, share: float) -> Any:
    """Each penalty starts at the solution of the one before."""
    folds, penalties, outputs = len(problem.trains), len(problem.Cs), problem.outputs
    coef = np.zeros((folds, penalties, outputs, problem.X.shape[1]), dtype=problem.X.dtype)
    intercept = np.zeros((folds, penalties, outputs), dtype=problem.X.dtype)
    n_iter = np.zeros((folds, penalties), dtype=np.int32)
    status = []
    for k in range(folds):
        rows = problem.training_rows(k)
        model = member(C=1.0, l1_ratio=share)
        for p, c in enumerate(problem.Cs.tolist()):
            model.C = c
            found = _solve(model, *rows, outputs)
            model.coef_, model.intercept_ = found[0], found[1]
            coef[k, p], intercept[k, p], n_iter[k, p] = found[:3]
            status.append(found[3])
    return coef, intercept, n_iter, status


def _solve(model: Any, X: Any, targets: Array, weights: Array | None, outputs: int) -> Any:
    coef, intercept, steps, status, _ = model._solve(X, targets, weights, outputs, model._checked_penalty())
    return coef, intercept, steps, status


def _scores(
    problem: Problem, model: Any, fold_of_row: Any, coef: Array, intercept: Array
) -> NDArray[np.float64]:
    weights = problem.score_params.get("sample_weight")
    if fold_of_row is not None and set(problem.score_params) <= {"sample_weight"}:
        scores = fused_scores(
            problem.scoring,
            problem.X,
            problem.targets,
            None if weights is None else np.asarray(weights, dtype=np.float64),
            fold_of_row,
            problem.tests,
            len(problem.classes),
            np.ascontiguousarray(coef),
            np.ascontiguousarray(intercept),
        )
        if scores is not None:
            return scores
    model.classes_ = problem.classes
    return np.stack(
        [
            unfused_scores(
                problem.scoring,
                model,
                problem.X,
                problem.y,
                test,
                problem.score_params,
                coef[k],
                intercept[k],
            )
            for k, test in enumerate(problem.tests)
        ]
    )


def refit(problem: Problem, member: Member, share: float, c: float, start: tuple[Array, Array]) -> Any:
    """Fit the model on all rows from ``start``; return its coefficients, intercept and status.

    It costs as little as one of the folds' many, so it is taken a step further: a start this close would else
    show in the last digits.
    """
    model = member(C=c, l1_ratio=share)
    model.coef_, model.intercept_ = start
    model.tol = 0.1 * model.tol
    found = _solve(model, problem.X, problem.targets, problem.weights, problem.outputs)
    return found[0].astype(problem.X.dtype), found[1].astype(problem.X.dtype), found[3]
