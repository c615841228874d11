"""Logistic regression with its penalty chosen by cross-validation, folds and penalties fitted together."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import compute_class_weight
from sklearn.utils import metadata_routing as routing
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from maas_engine.linear_model._base import (
    Array,
    check_features,
    check_weights,
    scikit_learn_errors,
    warn_not_converged,
)
from maas_engine.linear_model._labels import check_labels, encode_labels
from maas_engine.linear_model._logistic import LogisticRegression
from maas_engine.linear_model._logistic_cv_attributes import set_attributes
from maas_engine.linear_model._logistic_cv_parameters import Settings, settle_parameters
from maas_engine.linear_model._logistic_cv_paths import Paths, Problem, refit, solve_paths
from maas_engine.linear_model._logistic_folds import row_indices

# Values up to which a sparse matrix is fitted as a dense one, which shares passes: 2 MB of float64.
_SMALL = 1 << 18


def _dense_if_small(X: Any) -> Any:
    return X.toarray() if issparse(X) and X.shape[0] * X.shape[1] <= _SMALL else X


class LogisticRegressionCV(LogisticRegression):
    """Logistic regression whose ``C`` (and ``l1_ratio``) is the best by cross-validation.

    The models of all folds and penalties are solved in lockstep, so that they share the passes over the rows
    and the second derivatives, where the penalty is L2, ``X`` dense (or small), and each row tested once at most
    by the folds, which train on all others. Other problems are fitted one after another along ``Cs``, each from
    the solution before. The result is the same.

    Parameters
    ----------
    Cs : int or array-like of floats > 0, default=10
        Inverse strengths of the penalty; an int takes so many from 1e-4 to 1e4, evenly on a logarithmic scale.
    l1_ratios : array-like of floats in [0, 1], default=None
        Shares of the penalty that are L1, all of which are tried. None, with scikit-learn's warning that it
        will be refused, means (0,) and drops that dimension from the attributes.
    fit_intercept : bool, default=True
    cv : int, splitter or iterable of (train, test), default=None
        None means 5 stratified folds.
    dual : False
    penalty : {'l1', 'l2', 'elasticnet'}
        scikit-learn's older spelling of ``l1_ratios``.
    scoring : str, callable or None, default=None
        None is accuracy.
    solver : {'lbfgs', 'newton-cholesky', 'saga', 'liblinear'}, default='lbfgs'
        The first two are the same here: quasi-Newton steps from factored second derivatives. With an L1 penalty
        'lbfgs', 'saga' and, for ``l1_ratio=1``, 'liblinear' are as for :class:`LogisticRegression`.
    tol : float, default=1e-4
        As for :class:`LogisticRegression`.
    max_iter : int, default=100
        Largest number of steps of one model.
    class_weight : dict, 'balanced' or None, default=None
        Multiplies the sample weights; 'balanced' counts the classes in all of ``y``.
    refit : bool, default=True
        Whether the final model is the one on all rows with the best mean score; else the mean over the folds of
        the coefficients with the best score of each.
    use_legacy_attributes : bool, default=True
        Shapes of the attributes, as in scikit-learn; leaving it out warns as scikit-learn does.
    n_jobs, verbose, intercept_scaling, random_state
        Accepted so that scikit-learn's calls work. Threads are set by :func:`maas_engine.set_num_threads`.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    coef_ : ndarray, shape (1, n_features) for two classes, else (n_classes, n_features); the type of ``X``
    intercept_ : ndarray, shape (1,) or (n_classes,)
    Cs_, l1_ratios_ : ndarray
        What was tried.
    C_, l1_ratio_ : float
        The best; with legacy attributes ndarrays that repeat it for each class (one for two classes). Where
        ``refit=False``, the mean of the folds' best.
    coefs_paths_ : ndarray, shape (n_folds, n_l1_ratios, n_Cs, n_classes or 1, n_features (+ 1))
        Coefficients and, last, the intercept if there is one. Legacy: a dict of class labels (the second of
        two) to shapes (n_folds, n_Cs, n_l1_ratios, n_features (+ 1)), the third dropped if ``l1_ratios=None``.
    scores_ : ndarray, shape (n_folds, n_l1_ratios, n_Cs)
        Legacy: a dict like the above, of shapes (n_folds, n_Cs, n_l1_ratios).
    n_iter_ : ndarray of int32, shape (n_folds, n_l1_ratios, n_Cs)
        Steps. Legacy: (1, n_folds, n_Cs, n_l1_ratios).
    n_features_in_, feature_names_in_

    Notes
    -----
    The same bits for any number of threads, for C and F order, and for every SIMD target with FMA.
    """

    __metadata_request__score = {"sample_weight": routing.UNUSED}  # noqa: RUF012 (scikit-learn's protocol)

    _parameter_constraints = {  # noqa: RUF012 (scikit-learn's protocol)
        **{
            name: allowed
            for name, allowed in LogisticRegression._parameter_constraints.items()
            if name
            not in ("C", "l1_ratio", "warm_start", "learning_rate", "momentum", "nesterov", "batch_size")
        },
        "Cs": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "l1_ratios": ["array-like", None, Hidden(StrOptions({"warn"}))],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None, Hidden(StrOptions({"warn"}))],
        "refit": ["boolean"],
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), Hidden(StrOptions({"deprecated"}))],
        "use_legacy_attributes": ["boolean", Hidden(StrOptions({"warn"}))],
    }

    def __init__(
        self,
        *,
        Cs: Any = 10,
        l1_ratios: Any = "warn",
        fit_intercept: bool = True,
        cv: Any = None,
        dual: bool = False,
        penalty: str = "deprecated",
        scoring: Any = "warn",
        solver: str = "lbfgs",
        tol: float = 1e-4,
        max_iter: int = 100,
        class_weight: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        refit: bool = True,
        intercept_scaling: float = 1.0,
        random_state: Any = None,
        use_legacy_attributes: Any = "warn",
    ) -> None:
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> LogisticRegressionCV:
        """Fit the models of all folds and penalties, and the best one on all rows.

        Parameters
        ----------
        X : array-like of float32 or float64, shape (n_samples, n_features), any layout; or sparse
        y : array-like of labels, shape (n_samples,)
        sample_weight : array-like, shape (n_samples,), or None
            Counts in the fits and, where the scorer takes weights, in the scores.
        **params : dict
            For the splitter and the scorer, where metadata routing is enabled.

        Raises
        ------
        ValueError : bad shapes, NaN or infinity, fewer than two classes, unsupported parameters.

        Warns
        -----
        ConvergenceWarning : ``max_iter`` was not enough for some models.
        FutureWarning : as scikit-learn 1.9, for defaults that it will change.
        """
        self._validate_params()
        routing._raise_for_params(params, self, "fit")
        settings = settle_parameters(self)
        X = _dense_if_small(check_features(self, X, y=y, reset=True, accept_sparse=True))
        labels = check_labels(y, X)
        classes, targets = encode_labels(labels, X.dtype)
        if len(classes) < 2:
            raise ValueError(
                "LogisticRegressionCV needs samples of at least 2 classes in the data, but the data contains "
                f"only one class: {classes[0]!r}"
            )
        splits, score_params = self._routed(sample_weight, params)
        weights = self._class_and_row_weights(sample_weight, X, classes, targets)
        folds = list(check_cv(self.cv, labels, classifier=True).split(X, labels, **splits))
        problem = Problem(
            X=X,
            y=labels,
            targets=targets,
            weights=weights,
            classes=classes,
            trains=[row_indices(train, len(labels)) for train, _ in folds],
            tests=[row_indices(test, len(labels)) for _, test in folds],
            Cs=settings.Cs,
            scoring=settings.scoring,
            score_params=score_params,
        )
        self.classes_ = classes
        with scikit_learn_errors(self, X=X, sample_weight=weights):
            paths = [solve_paths(problem, self._member, share) for share in settings.shares]
            unfinished = sum(path.unfinished for path in paths) + self._choose(problem, settings, paths)
        if unfinished:
            warn_not_converged(
                self,
                f"{unfinished} models stopped at max_iter={self.max_iter} before reaching tol={self.tol}. "
                "Increase max_iter or scale the data.",
            )
        return self

    def _choose(self, problem: Problem, settings: Settings, paths: list[Paths]) -> int:
        """Set the best model and the attributes; return how many models more did not converge."""
        coef = np.stack([path.coef for path in paths], axis=1)  # folds × l1_ratios × Cs × outputs × features
        intercept = np.stack([path.intercept for path in paths], axis=1)
        scores = np.stack([path.scores for path in paths], axis=1)
        by_c = np.swapaxes(scores, 1, 2)  # ties go to the first C, then the first l1_ratio
        unfinished = 0
        if self.refit:
            c, ratio = np.unravel_index(np.argmax(by_c.sum(axis=0)), by_c.shape[1:])
            best_c, best_ratio = settings.Cs[c], settings.l1_ratios[ratio]
            full = paths[ratio].full
            if full is not None:
                self.coef_, self.intercept_ = full[0][c], full[1][c]
            else:
                start = coef[:, ratio, c].mean(axis=0), intercept[:, ratio, c].mean(axis=0)
                self.coef_, self.intercept_, status = refit(
                    problem, self._member, settings.shares[ratio], float(best_c), start
                )
                unfinished = int(status != "converged")
        else:
            best = by_c.reshape(len(by_c), -1).argmax(axis=1)
            c, ratio = np.unravel_index(best, by_c.shape[1:])
            folds = np.arange(len(by_c))
            self.coef_ = coef[folds, ratio, c].mean(axis=0)
            self.intercept_ = intercept[folds, ratio, c].mean(axis=0)
            best_c = settings.Cs[c].mean()
            best_ratio = np.mean(np.asarray(settings.shares)[ratio])
        if self.fit_intercept:
            coef = np.concatenate([coef, intercept[..., None]], axis=-1)
        n_iter = np.stack([path.n_iter for path in paths], axis=1)
        set_attributes(self, settings, best_c, best_ratio, coef, scores, n_iter)
        return unfinished

    def __sklearn_tags__(self) -> Any:
        # Not LogisticRegression's, which depend on its own parameters.
        tags = super(LogisticRegression, self).__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def score(self, X: Any, y: Any, *, sample_weight: Any = None, **score_params: Any) -> float:
        """Return the score of the predictions by ``scoring`` (accuracy if None).

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
        y : array-like of labels, shape (n_samples,)
        sample_weight : array-like, shape (n_samples,), or None
        **score_params : dict
            For the scorer, where metadata routing is enabled.
        """
        routing._raise_for_params(score_params, self, "score")
        if sample_weight is not None:
            score_params["sample_weight"] = sample_weight
        if routing._routing_enabled():
            score_params = process_routing(self, "score", **score_params).scorer.score
        return float(self._scorer()(self, X, y, **score_params))

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what ``fit`` and ``score`` pass on to the splitter and the scorer."""
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
            .add(
                scorer=self._scorer(),
                method_mapping=MethodMapping()
                .add(caller="score", callee="score")
                .add(caller="fit", callee="score"),
            )
        )

    def _scorer(self) -> Any:
        return get_scorer("accuracy" if self.scoring in (None, "warn") else self.scoring)

    def _routed(self, sample_weight: Any, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the parameters of the splitter and of the scorer."""
        if routing._routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed.splitter.split, routed.scorer.score
        return {}, {} if sample_weight is None else {"sample_weight": sample_weight}

    def _class_and_row_weights(
        self, sample_weight: Any, X: Any, classes: Array, targets: Array
    ) -> Array | None:
        if isinstance(self.class_weight, dict) and not set(self.class_weight) <= set(classes.tolist()):
            raise ValueError(
                "The given class_weight dict must have the class labels as keys; "
                f"classes={classes} but key={self.class_weight.keys()}"
            )
        weights = check_weights(sample_weight, X)
        if self.class_weight is not None:
            codes = targets.astype(np.intp)
            by_class = compute_class_weight(
                self.class_weight, classes=classes, y=classes[codes], sample_weight=weights
            )
            weights = by_class[codes] if weights is None else weights * by_class[codes]
        return None if weights is None else np.asarray(weights, dtype=X.dtype)

    def _member(self, **parameters: Any) -> LogisticRegression:
        """Return an unfitted LogisticRegression with the settings shared by all folds."""
        return LogisticRegression(
            solver=self.solver,
            tol=self.tol,
            max_iter=self.max_iter,
            fit_intercept=self.fit_intercept,
            intercept_scaling=self.intercept_scaling,
            warm_start=True,
            **parameters,
        )
