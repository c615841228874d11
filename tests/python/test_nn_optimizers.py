"""Optimizers, schedules, losses and metrics as objects: Keras's names and defaults, and what reaches the core."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

from maas_engine import nn
from maas_engine.errors import InvalidArgument, NotFinite, Unsupported
from maas_engine.nn import callbacks, losses, metrics, optimizers, schedules

CLASSES = [optimizers.SGD, optimizers.Adam, optimizers.AdamW, optimizers.RMSprop, optimizers.Adagrad]

# Keras 3.15's signatures, without what is refused.
SHARED = {"weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None, "name": None}
DEFAULTS: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "Adam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False},
    "AdamW": {
        "learning_rate": 0.001,
        "weight_decay": 0.004,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
        "amsgrad": False,
    },
    "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "Adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7},
}


@pytest.mark.parametrize("kind", CLASSES)
def test_parameters_are_keras(kind: type[optimizers.Optimizer]) -> None:
    found = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert found == {**SHARED, **DEFAULTS[kind.__name__]}


@pytest.mark.parametrize("name", ["sgd", "Adam", "adamw", "RMSprop", "ADAGRAD"])
def test_by_name(name: str) -> None:
    found = optimizers.get(name)
    assert type(found).__name__.lower() == name.lower() == found.name


def test_to_core() -> None:
    adam = optimizers.Adam(0.5, epsilon=1e-3, amsgrad=True, clipnorm=2, weight_decay=0.1)
    assert adam.to_core() == {
        "rule": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-3, "amsgrad": True,
        "weight_decay": 0.1, "clip_norm": 2.0, "clip_value": 0.0, "global_clip_norm": 0.0,
    }  # fmt: skip
    assert optimizers.AdamW().to_core()["weight_decay"] == 0.004
    assert optimizers.AdamW().to_core()["rule"] == "adam"
    assert optimizers.Adagrad(initial_accumulator_value=0.3).to_core()["initial_accumulator"] == 0.3
    assert optimizers.SGD(momentum=0.9, nesterov=True).to_core()["nesterov"] is True
    assert optimizers.RMSprop(rho=0.5, centered=True).to_core()["centered"] is True


@pytest.mark.parametrize("kind", CLASSES)
def test_config_round_trip(kind: type[Any]) -> None:
    first = kind(learning_rate=schedules.CosineDecay(0.1, 10), clipvalue=0.5)
    second = kind.from_config(first.get_config())
    assert second.to_core() == first.to_core()
    assert second.learning_rates(3, 4).tolist() == first.learning_rates(3, 4).tolist()
    found = optimizers.get({"class_name": kind.__name__, "config": {"learning_rate": 0.25}})
    assert isinstance(found, kind)
    assert found.learning_rate == 0.25
    assert eval(repr(first), {**vars(optimizers), **vars(schedules)}).to_core() == first.to_core()


def test_learning_rate_is_assignable() -> None:
    adam = optimizers.Adam()
    adam.learning_rate = 0.25
    assert adam.learning_rates(7, 3).tolist() == [0.25] * 3
    adam.learning_rate = schedules.ExponentialDecay(1.0, 10, 0.5)
    adam.iterations = 20
    assert adam.learning_rate == 0.25
    with pytest.raises(TypeError, match="schedule ExponentialDecay"):
        adam.learning_rate = 0.1
    with pytest.raises(NotFinite):
        optimizers.SGD().learning_rate = math.nan


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"use_ema": True}, Unsupported, "use_ema"),
        ({"loss_scale_factor": 2.0}, Unsupported, "loss_scale_factor"),
        ({"gradient_accumulation_steps": 2}, Unsupported, "gradient_accumulation_steps"),
        ({"lr": 0.1}, InvalidArgument, "unknown argument lr"),
        ({"clipnorm": 1.0, "clipvalue": 1.0}, InvalidArgument, "clipnorm=1.0, clipvalue=1.0"),
        ({"learning_rate": -1}, InvalidArgument, "learning_rate >= 0"),
        ({"learning_rate": "fast"}, InvalidArgument, "'fast'"),
        ({"learning_rate": lambda: 0.1}, Unsupported, "LearningRateSchedule"),
        ({"beta_1": 1.0}, InvalidArgument, r"beta_1 in \[0, 1\)"),
        ({"epsilon": math.inf}, NotFinite, "epsilon"),
    ],
)
def test_refused_by_name(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        optimizers.Adam(**arguments)


def test_unused_arguments_of_keras_are_taken() -> None:
    optimizers.Adam(use_ema=False, loss_scale_factor=None, gradient_accumulation_steps=None)


def test_unknown_optimizer_lists_those_there_are() -> None:
    with pytest.raises(InvalidArgument, match=r"'sgd', 'adam', 'adamw', 'rmsprop', 'adagrad'.*'nadam'"):
        optimizers.get("nadam")


def test_exclude_from_weight_decay() -> None:
    adam = optimizers.AdamW()
    adam.exclude_from_weight_decay(var_names=["bias", "gamma"])
    assert [adam.decays(name) for name in ("dense/kernel", "dense/bias", "norm/gamma")] == [
        True,
        False,
        False,
    ]


# What Keras 3.15 gives for these steps (in float32).
RECORDED: list[tuple[schedules.LearningRateSchedule, list[int], list[float]]] = [
    (
        schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1]),
        [0, 9, 10, 11, 20, 21],
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.1],
    ),
    (
        schedules.CosineDecay(0.1, 100, alpha=0.1, warmup_target=1.0, warmup_steps=10),
        [0, 1, 5, 9, 10, 11, 60, 109, 110, 500],
        [0.1, 0.19, 0.55, 0.91, 1.0, 0.9997779130935669, 0.55, 0.10022205859422684, 0.1, 0.1],
    ),
    (
        schedules.CosineDecay(0.1, 100, alpha=0.1, warmup_steps=10),  # no target: no warm-up
        [0, 1, 5, 10, 50, 100, 500],
        [0.1, 0.09997779130935669, 0.09944597631692886, 0.09779754281044006, 0.055, 0.01, 0.01],
    ),
    (
        schedules.CosineDecayRestarts(0.1, 10, alpha=0.1, m_mul=0.5),
        [0, 1, 5, 9, 10, 11, 29, 30, 31, 69, 70],
        [
            0.1,
            0.09779754281044006,
            0.055,
            0.012202458456158638,
            0.055,
            0.05472299084067345,
            0.01027701236307621,
            0.0325,
            0.03246532008051872,
            0.010034680366516113,
            0.02125,
        ],
    ),
    (
        schedules.CosineDecayRestarts(0.1, 10, t_mul=1.0, alpha=0.1, m_mul=0.5),
        [0, 9, 10, 11, 29, 30, 31, 69, 70],
        [
            0.1,
            0.012202458456158638,
            0.055,
            0.05389877036213875,
            0.010550613515079021,
            0.02125,
            0.020974693819880486,
            0.010034414008259773,
            0.010703125037252903,
        ],
    ),
    (
        schedules.PolynomialDecay(0.1, 10, 0.01, power=2.0),
        [0, 1, 5, 9, 10, 11, 29],
        [0.1, 0.0829, 0.0325, 0.0109, 0.01, 0.01, 0.01],
    ),
    (
        schedules.PolynomialDecay(0.1, 10, 0.01, power=2.0, cycle=True),
        [0, 1, 5, 9, 10, 11, 20, 21, 29],
        [0.1, 0.0829, 0.0325, 0.0109, 0.01, 0.028225, 0.01, 0.0181, 0.0101],
    ),
    (
        schedules.InverseTimeDecay(0.1, 10, 0.5, staircase=True),
        [0, 9, 10, 11, 20, 29],
        [0.1, 0.1, 0.1 / 1.5, 0.1 / 1.5, 0.05, 0.05],
    ),
]


@pytest.mark.parametrize(("schedule", "steps", "rates"), RECORDED, ids=lambda value: type(value).__name__)
def test_schedules_follow_keras(
    schedule: schedules.LearningRateSchedule, steps: list[int], rates: list[float]
) -> None:
    np.testing.assert_allclose([schedule(step) for step in steps], rates, rtol=2e-6)
    again = type(schedule).from_config(schedule.get_config())
    assert again.values(0, 40).tolist() == schedule.values(0, 40).tolist()
    assert schedule.values(7, 30).tolist() == schedule.values(0, 40)[7:37].tolist()


def test_exponential_and_inverse_formulas() -> None:
    steps = np.arange(50)
    smooth, stairs = (schedules.ExponentialDecay(0.3, 7, 0.8, staircase=flag) for flag in (False, True))
    np.testing.assert_allclose(smooth.values(0, 50), 0.3 * 0.8 ** (steps / 7), rtol=1e-15)
    np.testing.assert_allclose(stairs.values(0, 50), 0.3 * 0.8 ** (steps // 7), rtol=1e-15)
    inverse = schedules.InverseTimeDecay(0.3, 7, 0.8)
    np.testing.assert_allclose(inverse.values(0, 50), 0.3 / (1 + 0.8 * steps / 7), rtol=1e-15)


def test_linear_warmup_then_a_schedule() -> None:
    rates = schedules.LinearWarmup(schedules.ExponentialDecay(0.8, 1, 0.5), 4).values(0, 7)
    np.testing.assert_allclose(rates, [0, 0.2, 0.4, 0.6, 0.8, 0.4, 0.2])
    assert schedules.LinearWarmup(0.5, 2, 0.25).values(0, 4).tolist() == [0.25, 0.375, 0.5, 0.5]


def test_a_schedule_of_ones_own() -> None:
    class Halving(schedules.LearningRateSchedule):
        def __call__(self, step: int) -> float:
            return 0.5**step if step < 3 else math.nan

    assert optimizers.SGD(Halving()).learning_rates(0, 3).tolist() == [1.0, 0.5, 0.25]
    with pytest.raises(NotFinite, match="nan at step 3"):
        optimizers.SGD(Halving()).learning_rates(1, 5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.CosineDecay(0.1, 0),
        lambda: schedules.ExponentialDecay(0.1, -1, 0.5),
        lambda: schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5]),
        lambda: schedules.PiecewiseConstantDecay([20, 10], [1.0, 0.5, 0.1]),
        lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5),
        lambda: schedules.CosineDecay(0.1, 5, warmup_steps=-1),
    ],
)
def test_schedules_refuse(make: Any) -> None:
    with pytest.raises(InvalidArgument, match="expected"):
        make()


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("mse", "mean_squared_error"),
        ("MSE", "mean_squared_error"),
        ("MeanSquaredError", "mean_squared_error"),
        ("mae", "mean_absolute_error"),
        ("huber", "huber"),
        ("Huber", "huber"),
        ("bce", "binary_crossentropy"),
        ("categorical_crossentropy", "categorical_crossentropy"),
        ("SparseCategoricalCrossentropy", "sparse_categorical_crossentropy"),
        ("hinge", "hinge"),
        ("squared_hinge", "squared_hinge"),
        ("poisson", "poisson"),
        ("KLD", "kl_divergence"),
        ("KLDivergence", "kl_divergence"),
    ],
)
def test_losses_by_name(name: str, core: str) -> None:
    found = losses.get(name)
    assert found.to_core()["name"] == core
    assert losses.get(found) is found
    assert type(found).from_config(found.get_config()).to_core() == found.to_core()
    assert metrics.get(name).core_name == core
    assert metrics.get(name).name == name
    assert metrics.get(found).core_name == core


def test_losses_with_options() -> None:
    smooth = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    assert smooth.to_core() == {
        "name": "categorical_crossentropy", "from_logits": True, "label_smoothing": 0.1
    }  # fmt: skip
    assert losses.Huber(2.0).to_core() == {"name": "huber", "delta": 2.0}
    assert losses.Huber().name == "huber_loss"
    for refused in (
        lambda: losses.MeanSquaredError(reduction="sum"),
        lambda: losses.BinaryCrossentropy(axis=1),
        lambda: losses.SparseCategoricalCrossentropy(ignore_class=0),
        lambda: losses.get(lambda y, p: 0),  # type: ignore[arg-type]
        lambda: metrics.get(smooth),
        lambda: metrics.get(lambda y, p: 0),  # type: ignore[arg-type]
    ):
        with pytest.raises(Unsupported):
            refused()
    with pytest.raises(InvalidArgument, match=r"'mean_squared_error' \('mse'\).*got 'logcosh'"):
        losses.get("logcosh")
    with pytest.raises(InvalidArgument, match="label_smoothing"):
        losses.BinaryCrossentropy(label_smoothing=1.5)


def test_metrics_of_compile() -> None:
    found = metrics.get_all(["mae", "accuracy", "acc", metrics.RootMeanSquaredError(), losses.Huber()])
    assert [each.name for each in found] == [
        "mae",
        "accuracy",
        "acc",
        "root_mean_squared_error",
        "huber_loss",
    ]
    core = ["mean_absolute_error", "accuracy", "accuracy", "root_mean_squared_error", "huber"]
    assert [each.core_name for each in found] == core
    assert metrics.get_all(None) == []
    assert [each.name for each in metrics.get_all("mae")] == ["mae"]
    assert metrics.MeanSquaredError(name="error").name == "error"
    with pytest.raises(InvalidArgument, match=r"'accuracy'.*got 'auc'.*maas_engine.metrics"):
        metrics.get("auc")
    with pytest.raises(Unsupported, match="only 0"):
        metrics.BinaryAccuracy(threshold=0.3)
    with pytest.raises(Unsupported, match="only 5"):
        metrics.TopKCategoricalAccuracy(k=3)


@pytest.mark.parametrize(
    ("module", "name", "there"),
    [
        (metrics, "AUC", "Accuracy, BinaryAccuracy"),
        (losses, "CosineSimilarity", "BinaryCrossentropy"),
        (optimizers, "Nadam", "RMSprop, SGD"),
        (callbacks, "TensorBoard", "EarlyStopping, History"),
        (nn.layers, "Conv2D", "Activation, BatchNormalization"),
        (nn, "LSTM", "Dense, Dropout"),
    ],
)
def test_what_a_module_lacks_is_said_with_what_it_has(module: Any, name: str, there: str) -> None:
    short = module.__name__.removeprefix("maas_engine.")
    with pytest.raises(AttributeError, match=f"{short} has no {name}; it has .*{there}"):
        getattr(module, name)
