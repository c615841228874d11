"""Solvers: what the engine's optimizer is told, and the learning rates from step to step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maas_engine.nn import optimizers

# Those of maas_engine.nn.optimizers by name, with Keras's defaults but for the learning rate.
OTHER_SOLVERS = ("adamw", "rmsprop", "adagrad")
_SMALLEST_ADAPTIVE_RATE = 1e-6


class Solver:
    """An optimizer's options and learning rate; the schedules are scikit-learn's, by epochs.

    Attributes
    ----------
    options : dict, as ``_core.Trainer`` takes them
    learning_rate : float, of the next step
    """

    def __init__(self, options: dict[str, Any], learning_rate: float) -> None:
        self.options = options
        self.learning_rate = learning_rate

    def rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return the learning rates of ``steps`` steps after ``first_step`` have been done."""
        return np.full(steps, self.learning_rate)

    def decays(self, name: str) -> bool:
        """Whether decoupled weight decay acts on the parameter of that name."""
        return True

    def epoch_ends(self, seen: int) -> None:
        """Note that ``seen`` rows have been trained on in all epochs so far."""

    def gives_up(self) -> str:
        """Return what is done now that progress has stopped: "" to stop, or what to go on with."""
        return ""


class ScheduledSGD(Solver):
    """SGD with ``learning_rate`` 'constant', 'invscaling' or 'adaptive'."""

    def __init__(self, options: dict[str, Any], learning_rate: float, schedule: str, power_t: float) -> None:
        super().__init__(options, learning_rate)
        self._initial, self._schedule, self._power_t = learning_rate, schedule, power_t

    def epoch_ends(self, seen: int) -> None:
        if self._schedule == "invscaling":
            self.learning_rate = self._initial / (seen + 1) ** self._power_t

    def gives_up(self) -> str:
        if self._schedule != "adaptive" or self.learning_rate <= _SMALLEST_ADAPTIVE_RATE:
            return ""
        self.learning_rate /= 5
        return f"Setting learning rate to {self.learning_rate:f}"


class OptimizerSolver(Solver):
    """An optimizer of ``maas_engine.nn.optimizers``, whose learning rates are its own."""

    def __init__(self, optimizer: optimizers.Optimizer) -> None:
        super().__init__(optimizer.to_core(), 0.0)
        self._optimizer = optimizer

    def rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        rates = np.asarray(self._optimizer.learning_rates(first_step, steps), dtype=np.float64)
        self.learning_rate = float(rates[-1])
        return rates

    def decays(self, name: str) -> bool:
        return bool(self._optimizer.decays(name))


def solver_of(estimator: Any) -> Solver:
    """Return the solver that the estimator's parameters describe; not for 'lbfgs'."""
    solver, rate = estimator.solver, float(estimator.learning_rate_init)
    if solver == "sgd":
        momentum = float(estimator.momentum)
        nesterov = bool(estimator.nesterovs_momentum) and momentum > 0
        options = {"rule": "sgd", "momentum": momentum, "nesterov": nesterov}
        return ScheduledSGD(options, rate, estimator.learning_rate, float(estimator.power_t))
    betas = {name: float(getattr(estimator, name)) for name in ("beta_1", "beta_2", "epsilon")}
    if solver == "adam":
        return Solver({"rule": "adam", **betas}, rate)
    if not isinstance(solver, str):
        return OptimizerSolver(solver)
    if solver == "adamw":
        return OptimizerSolver(
            optimizers.AdamW(rate, beta_1=betas["beta_1"], beta_2=betas["beta_2"], epsilon=betas["epsilon"])
        )
    kinds = {"rmsprop": optimizers.RMSprop, "adagrad": optimizers.Adagrad}
    return OptimizerSolver(kinds[solver](rate))
