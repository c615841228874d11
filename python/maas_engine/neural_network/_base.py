"""What MLPClassifier and MLPRegressor share: parameters, weights and training, whatever the target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from maas_engine import _core
from maas_engine._runtime import next_seed
from maas_engine.graph import GraphBuilder
from maas_engine.linear_model._base import check_weights
from maas_engine.linear_model._export import ExportMixin, Roles
from maas_engine.neural_network._epochs import Epochs
from maas_engine.neural_network._graphs import ACTIVATIONS, training_graph
from maas_engine.neural_network._held_out import held_out_score, split
from maas_engine.neural_network._lbfgs import minimise
from maas_engine.neural_network._predictor import Predictor
from maas_engine.neural_network._rows import Rows
from maas_engine.neural_network._solvers import OTHER_SOLVERS, Solver, solver_of
from maas_engine.nn.optimizers import Optimizer

Array = NDArray[Any]

FLOAT_TYPES = (np.float64, np.float32)


class BaseMLP(ExportMixin, BaseEstimator):
    """Runs the training of a network; subclasses know the targets.

    The weights are ``coefs_`` and ``intercepts_``; a ``_core.Trainer`` gets them before an epoch and gives them
    back after it, and outlives a call only for the sake of the optimizer's state.
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [
            StrOptions({"lbfgs", "sgd", "adam", *OTHER_SOLVERS}),
            Optimizer,
        ],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # --- what subclasses say ------------------------------------------------------------------

    @abstractmethod
    def _check_target(self, X: Any, y: Any, *, first: bool, incremental: bool) -> tuple[Any, Array, int]:
        """Return X, the targets as ``_core.Trainer`` takes them, and the number of outputs."""

    @abstractmethod
    def _out_activation(self) -> str:
        """Name the activation of the output, as scikit-learn does."""

    @abstractmethod
    def _loss_options(self) -> dict[str, Any]:
        """Return the loss as ``_core.Trainer`` takes it, of scores before the last activation."""

    @abstractmethod
    def _write_answers(
        self, builder: GraphBuilder, x: str, coefs: Sequence[Array], intercepts: Sequence[Array]
    ) -> Roles:
        """Write the network as the estimator predicts with it."""

    @abstractmethod
    def _score_answers(self, y: Array, answers: Array, weight: Array | None) -> float:
        """Return the score that early stopping goes by."""

    def _row_weights(self, y: Any, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return weight

    def _reported_loss(self, rows: Rows, train: Array | None) -> Callable[[float], float]:
        """Return what makes the loss to report of the engine's; ``train``: the rows learned from, None for all."""
        return float

    # --- training -----------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Any:
        hidden = self._hidden_sizes()
        rates = self._dropout_rates(len(hidden))
        first = not hasattr(self, "coefs_") or (not self.warm_start and not incremental)
        X, target, outputs = self._check_target(X, y, first=first, incremental=incremental)
        weight = check_weights(sample_weight, X)
        rows = Rows(X, target, self._row_weights(y, weight))
        sizes = [X.shape[1], *hidden, outputs]
        random = random_numbers(self.random_state)
        if first:
            self._begin(sizes, X.dtype, random)
        elif [len(coef) for coef in self.coefs_] + [outputs] != sizes:
            raise ValueError(
                f"expected layers of the sizes {sizes[1:]} as in the previous call to fit, "
                f"got weights for {[coef.shape[1] for coef in self.coefs_]}"
            )
        if self.solver == "lbfgs":
            self._train_whole(rows, rates)
        else:
            self._train_by_batches(rows, weight, rates, random, incremental=incremental)
        return self

    def _hidden_sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        sizes = [int(size) for size in sizes] if hasattr(sizes, "__iter__") else [int(sizes)]
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return sizes

    def _dropout_rates(self, layers: int) -> list[float]:
        given = np.asarray(self.dropout, dtype=np.float64)
        if given.ndim and given.shape != (layers,):
            raise ValueError(f"dropout must be a rate, or one a hidden layer ({layers}), got {self.dropout}.")
        rates: list[float] = np.broadcast_to(given, layers).tolist()
        if any(not 0 <= rate < 1 for rate in rates):
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}.")
        if any(rates) and self.solver == "lbfgs":
            raise ValueError(
                "dropout needs a stochastic solver: 'lbfgs' expects the same loss for the same weights."
            )
        return rates

    def _begin(self, sizes: list[int], dtype: Any, random: np.random.RandomState) -> None:
        """Set everything as it is before the first epoch."""
        self.n_iter_, self.t_ = 0, 0
        self.n_outputs_, self.n_layers_ = sizes[-1], len(sizes)
        self.out_activation_ = self._out_activation()
        coefs, intercepts = [], []
        for inputs, units in pairwise(sizes):
            coef, intercept = initial_layer(inputs, units, self.activation, random)
            coefs.append(coef.astype(dtype, copy=False))
            intercepts.append(intercept.astype(dtype, copy=False))
        self._keep(coefs + intercepts)
        if self.solver == "lbfgs":
            return
        self.loss_curve_: list[float] = []
        self._no_improvement_count = 0
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_ = -np.inf if self.early_stopping else None
        self.best_loss_ = None if self.early_stopping else np.inf

    def _keep(self, weights: list[Array]) -> None:
        layers = len(weights) // 2
        self.coefs_, self.intercepts_ = weights[:layers], weights[layers:]
        self._predictor = Predictor(self._write_answers, self.coefs_, self.intercepts_)

    def _train_whole(self, rows: Rows, rates: list[float]) -> None:
        dtype = self.coefs_[0].dtype
        penalised = not issparse(rows.X)  # blocks of sparse rows would each count the penalty whole
        solver = Solver({"rule": "sgd"}, 0.0)
        trainer = self._make_trainer(solver, rates, 0, np.dtype(np.float64), penalised=penalised)
        penalties = [0.5 * self.alpha] * len(self.coefs_) + [0.0] * len(self.coefs_)
        weights, loss = minimise(self, trainer, rows, penalties)
        self._expect_finite(weights)
        self._keep([values.astype(dtype, copy=False) for values in weights])
        self.loss_ = self._reported_loss(rows, None)(loss)

    def _train_by_batches(
        self,
        rows: Rows,
        weight: NDArray[np.float64] | None,
        rates: list[float],
        random: np.random.RandomState,
        *,
        incremental: bool,
    ) -> None:
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if not incremental:
            self._forget_steps()
        train, score = None, None
        if self.early_stopping:
            train, held_out = split(self, rows, random)
            score = held_out_score(self, rows, weight, held_out)
        trainer, solver = self._resume(rates, random)
        epochs = Epochs(self, trainer, solver, rows, train, score, random, self._reported_loss(rows, train))
        weights = epochs.run(incremental=incremental)
        self._expect_finite(weights)
        self._keep(weights)

    def _expect_finite(self, weights: list[Array]) -> None:
        if not all(np.isfinite(values).all() for values in weights):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to "
                "be preprocessed."
            )

    # --- the optimizer's state, between calls of partial_fit ------------------------------------

    def _forget_steps(self) -> None:
        for name in ("_trainer", "_solver", "_steps", "_dropout_seed"):
            self.__dict__.pop(name, None)

    def _resume(self, rates: list[float], random: np.random.RandomState) -> tuple[_core.Trainer, Solver]:
        """Return a trainer with the present weights and, after earlier steps, the optimizer's state."""
        solver: Solver = self.__dict__.get("_solver") or solver_of(self)
        wanted = (self.activation, self.alpha, tuple(rates), self.coefs_[0].dtype.char)
        trainer, made_for = self.__dict__.get("_trainer", (None, None))
        if made_for != wanted:
            if any(rates) and "_dropout_seed" not in self.__dict__:
                self._dropout_seed = int(random.randint(np.iinfo(np.int32).max))
            seed = self.__dict__.get("_dropout_seed", 0)
            steps = (
                (trainer.get_slots(), trainer.iterations)
                if trainer is not None
                else self.__dict__.get("_steps")
            )
            trainer = self._make_trainer(solver, rates, seed, self.coefs_[0].dtype)
            if steps is not None:
                trainer.set_slots(steps[0])
                trainer.iterations = steps[1]
        else:
            trainer.set_parameters([*self.coefs_, *self.intercepts_])
        self._solver, self._trainer = solver, (trainer, wanted)
        return trainer, solver

    def _make_trainer(
        self, solver: Solver, rates: list[float], seed: int, dtype: np.dtype[Any], *, penalised: bool = True
    ) -> _core.Trainer:
        coefs = [values.astype(dtype, copy=False) for values in self.coefs_]
        intercepts = [values.astype(dtype, copy=False) for values in self.intercepts_]
        l2 = 0.5 * self.alpha if penalised else 0.0
        names = [f"coefs_{layer}" for layer in range(len(coefs))]
        parameters = [(name, True, 0.0, l2, solver.decays(name)) for name in names]
        names = [f"intercepts_{layer}" for layer in range(len(coefs))]
        parameters += [(name, True, 0.0, 0.0, solver.decays(name)) for name in names]
        graph = training_graph(self.activation, rates, coefs, intercepts)
        return _core.Trainer(graph, parameters, self._loss_options(), [], solver.options, seed, True)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__().copy()
        state.pop("_predictor", None)
        trainer, _ = state.pop("_trainer", (None, None))
        if trainer is not None:
            state["_steps"] = (trainer.get_slots(), trainer.iterations)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "coefs_"):
            self._keep([*self.coefs_, *self.intercepts_])

    # --- prediction ---------------------------------------------------------------------------

    def _answer(self, method: str, X: Any) -> Array:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=FLOAT_TYPES)
        if not self._predictor.is_of(self.coefs_, self.intercepts_):
            self._keep([*self.coefs_, *self.intercepts_])
        return self._predictor.run(method, X)

    def _row_type(self) -> tuple[np.dtype[Any], int]:
        return self.coefs_[0].dtype, len(self.coefs_[0])

    def _is_stochastic(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not stochastic."
            )
        return True

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train the network, with ``warm_start`` from the last weights.

        Parameters
        ----------
        X : array-like or sparse, shape (n_samples, n_features)
            float32 or float64 are taken as they are, in any layout, also memory-mapped; sparse rows are made dense
            a few batches at a time.
        y : shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : shape (n_samples,), optional

        Raises
        ------
        ValueError : bad shapes, targets or parameters, NaN or infinity; the loss became NaN or infinite.

        Warns
        -----
        ConvergenceWarning : ``max_iter`` epochs were not enough.
        UserWarning : Ctrl-C ended the training; the weights are those of the last step.
        """
        return self._fit(X, y, sample_weight, incremental=False)


def random_numbers(random_state: Any) -> np.random.RandomState:
    """Return scikit-learn's generator; None takes the next of the engine's seeds (``maas_engine.set_seed``)."""
    if random_state is None:
        return np.random.RandomState(next_seed() % 2**32)
    generator: np.random.RandomState = check_random_state(random_state)
    return generator


def initial_layer(
    inputs: int, units: int, activation: str, random: np.random.RandomState
) -> tuple[Array, Array]:
    """Return weights and biases, float64: scikit-learn's draws and bounds, after Glorot and Bengio (2010)."""
    bound = np.sqrt((2.0 if activation == "logistic" else 6.0) / (inputs + units))
    return random.uniform(-bound, bound, (inputs, units)), random.uniform(-bound, bound, units)
