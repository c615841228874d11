"""Gradients of every kind of node against central differences, losses against the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases.training import ALL, ROWS, TrainingCase, TrainingNode, dense
from cases.values import rng

from maas_engine import _core, errors, interpreter

STEP = 1e-5
CHECKED = 25  # values of each parameter, at most

SGD = {"rule": "sgd"}
each_case = pytest.mark.parametrize("case", ALL, ids=str)


class Trained:
    """A Trainer of a case, and which of its parameters it trains."""

    def __init__(
        self, case: TrainingCase, loss: dict[str, Any], dtype: str = "float64", l1: float = 0, l2: float = 0
    ) -> None:
        self.graph, listed = case.graph(dtype)
        parameters = [(name, trains, l1, l2, decays) for name, trains, _, _, decays in listed]
        self.places = [i for i, (_, trains, *_) in enumerate(parameters) if trains]
        self.trainer = _core.Trainer(self.graph, parameters, loss, [], SGD, 3, False)

    def columns(self) -> int:
        return int(np.prod(self.graph.outputs[0][2][1:]))

    def assert_gradients(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> None:
        """Richardson's central differences of some values of each trained parameter."""
        start = self.trainer.get_parameters()
        self.trainer.gradient(x, y, weight)
        gradients = self.trainer.gradients()

        def loss(place: int, index: tuple[int, ...], change: float) -> float:
            moved = [array.copy() for array in start]
            moved[place][index] += change
            self.trainer.set_parameters(moved)
            return float(self.trainer.gradient(x, y, weight))

        scale = max(np.abs(gradient).max() for gradient in gradients) + 1e-3
        for place, gradient in zip(self.places, gradients, strict=True):
            indices = list(np.ndindex(*gradient.shape))
            for index in (indices[i] for i in rng(place).permutation(len(indices))[:CHECKED]):
                near = (loss(place, index, STEP) - loss(place, index, -STEP)) / (2 * STEP)
                far = (loss(place, index, 2 * STEP) - loss(place, index, -2 * STEP)) / (4 * STEP)
                assert abs((4 * near - far) / 3 - gradient[index]) < 3e-8 * scale, (place, index)
        self.trainer.set_parameters(start)


def targets(case: TrainingCase, columns: int, rows: int = ROWS) -> np.ndarray:
    return rng(case.name, rows).normal(size=(rows, columns))


@each_case
def test_gradient_is_that_of_the_loss(case: TrainingCase) -> None:
    if not any(node.trainable for node in case.nodes):
        pytest.skip("nothing is trained")
    trained = Trained(case, {"name": "mse"})
    trained.assert_gradients(case.x(), targets(case, trained.columns()))


@each_case
def test_forward_is_the_interpreters(case: TrainingCase) -> None:
    trained = Trained(case, {"name": "mse"})
    x, y = case.x(), targets(case, trained.columns())
    (predicted,) = interpreter.run(trained.graph, {"x": x}).values()
    expected = np.mean((predicted.reshape(y.shape) - y) ** 2)
    if case.infers:
        assert trained.trainer.gradient(x, y, None) == pytest.approx(expected, rel=1e-13)
    # Whatever training does, evaluating infers.
    assert trained.trainer.evaluate(x, y, None).loss == pytest.approx(expected, rel=1e-13)


@each_case
def test_float32_is_near(case: TrainingCase) -> None:
    losses, gradients = [], []
    for dtype in ("float32", "float64"):
        trained = Trained(case, {"name": "mse"}, dtype)
        x, y = case.x(dtype=dtype), targets(case, trained.columns())
        losses.append(trained.trainer.gradient(x, y, None))
        gradients.append([g.astype("float64") for g in trained.trainer.gradients()])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    scale = max([np.abs(g).max() for g in gradients[1]], default=0)
    for ours, wide in zip(*gradients, strict=True):
        assert np.abs(ours - wide).max() < 1e-5 * scale


@each_case
def test_a_step_goes_down_the_gradient(case: TrainingCase) -> None:
    trained = Trained(case, {"name": "mse"})
    trainer, x, y = trained.trainer, case.x(), targets(case, trained.columns())
    before = trainer.get_parameters()
    trainer.gradient(x, y, None)
    gradients = trainer.gradients()
    result = trainer.run(x, y, None, None, ROWS, np.array([1e-3]))
    after = trainer.get_parameters()
    assert result.steps == 1
    for place, gradient in zip(trained.places, gradients, strict=True):
        np.testing.assert_allclose(after[place], before[place] - 1e-3 * gradient, rtol=1e-13, atol=1e-16)
    frozen = [i for i in range(len(after)) if i not in trained.places]
    moved = {i for i in frozen if not np.array_equal(before[i], after[i])}
    averages = any(node.op == "BatchNormalization" for node in case.nodes)
    # Its scale and shift stay where they are not trained.
    assert len(moved) == 2 * averages


# --- losses --------------------------------------------------------------------------------------------


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def binary(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p), axis=1)


def huber(d: np.ndarray, delta: float) -> np.ndarray:
    inside = np.abs(d) <= delta
    return np.mean(np.where(inside, d * d / 2, delta * np.abs(d) - delta**2 / 2), axis=1)


SIGMOID, SOFTMAX, SOFTPLUS = (TrainingNode(op) for op in ("Sigmoid", "Softmax", "Softplus"))
Y = rng("targets").normal(size=(ROWS, 3))
BITS = (Y > 0).astype(float)
CLASSES = rng("classes").integers(0, 3, ROWS)
HOT = np.eye(3)[CLASSES]
SHARES = softmax(Y)
COUNTS = np.abs(Y)

# Name, what ends the network, options, targets, a row's loss from the output.
LOSSES: list[tuple[str, TrainingNode | None, dict[str, Any], np.ndarray, Any]] = [
    ("mse", None, {}, Y, lambda p: np.mean((p - Y) ** 2, axis=1)),
    ("mse-half", None, {"scale": 0.5}, Y, lambda p: np.mean((p - Y) ** 2, axis=1) / 2),
    ("mse-sigmoid", SIGMOID, {}, Y, lambda p: np.mean((p - Y) ** 2, axis=1)),
    ("mae", None, {}, Y, lambda p: np.mean(np.abs(p - Y), axis=1)),
    ("huber", None, {}, Y, lambda p: huber(p - Y, 1.0)),
    ("huber-0.3", None, {"delta": 0.3}, Y, lambda p: huber(p - Y, 0.3)),
    ("binary_crossentropy-sigmoid", SIGMOID, {}, BITS, lambda p: binary(p, BITS)),
    ("binary_crossentropy", None, {"from_logits": True}, BITS, lambda z: binary(sigmoid(z), BITS)),
    (
        "binary_crossentropy-smooth",
        SIGMOID,
        {"label_smoothing": 0.2},
        BITS,
        lambda p: binary(p, 0.8 * BITS + 0.1),
    ),
    ("binary_crossentropy-softmax", SOFTMAX, {}, BITS, lambda p: binary(p, BITS)),
    ("categorical_crossentropy-softmax", SOFTMAX, {}, HOT, lambda p: -np.sum(HOT * np.log(p), axis=1)),
    ("categorical_crossentropy-shares", SOFTMAX, {}, SHARES, lambda p: -np.sum(SHARES * np.log(p), axis=1)),
    (
        "categorical_crossentropy",
        None,
        {"from_logits": True},
        HOT,
        lambda z: -np.sum(HOT * np.log(softmax(z)), axis=1),
    ),
    (
        "categorical_crossentropy-smooth",
        SOFTMAX,
        {"label_smoothing": 0.3},
        HOT,
        lambda p: -np.sum((0.7 * HOT + 0.1) * np.log(p), axis=1),
    ),
    (
        "categorical_crossentropy-softplus",
        SOFTPLUS,
        {},
        HOT,
        lambda p: -np.sum(HOT * np.log(p / p.sum(axis=1, keepdims=True)), axis=1),
    ),
    (
        "sparse_categorical_crossentropy-softmax",
        SOFTMAX,
        {},
        CLASSES,
        lambda p: -np.log(p[np.arange(ROWS), CLASSES]),
    ),
    (
        "sparse_categorical_crossentropy",
        None,
        {"from_logits": True},
        CLASSES,
        lambda z: -np.log(softmax(z)[np.arange(ROWS), CLASSES]),
    ),
    ("hinge", None, {}, 2 * BITS - 1, lambda p: np.mean(np.maximum(0, 1 - (2 * BITS - 1) * p), axis=1)),
    (
        "squared_hinge",
        None,
        {},
        2 * BITS - 1,
        lambda p: np.mean(np.maximum(0, 1 - (2 * BITS - 1) * p) ** 2, axis=1),
    ),
    ("poisson", SOFTPLUS, {}, COUNTS, lambda p: np.mean(p - COUNTS * np.log(p + 1e-7), axis=1)),
    ("kl_divergence", SOFTMAX, {}, SHARES, lambda p: np.sum(SHARES * np.log(SHARES / p), axis=1)),
]
WEIGHT = np.abs(rng("weights").normal(size=ROWS))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize(("name", "end", "options", "y", "formula"), LOSSES, ids=[row[0] for row in LOSSES])
def test_losses(
    name: str,
    end: TrainingNode | None,
    options: dict[str, Any],
    y: np.ndarray,
    formula: Any,
    weight: np.ndarray | None,
) -> None:
    nodes = (dense(4, 6, "in"), TrainingNode("Tanh"), dense(6, 3, "out"), *([end] if end else []))
    case = TrainingCase(name, nodes, (4,))
    x, loss = case.x(), {"name": name.split("-")[0], **options}
    trained = Trained(case, loss)
    (predicted,) = interpreter.run(trained.graph, {"x": x}).values()
    rows = formula(predicted) * (1 if weight is None else weight)
    assert trained.trainer.gradient(x, y, weight) == pytest.approx(rows.mean(), rel=1e-6)
    assert trained.trainer.evaluate(x, y, weight).loss == pytest.approx(rows.mean(), rel=1e-6)
    trained.assert_gradients(x, y, weight)
    by_weight = Trained(case, {**loss, "mean_by_weight": True})
    mean = rows.mean() if weight is None else rows.sum() / weight.sum()
    assert by_weight.trainer.gradient(x, y, weight) == pytest.approx(mean, rel=1e-6)
    by_weight.assert_gradients(x, y, weight)


def test_penalties() -> None:
    case = next(case for case in ALL if case.name == "deep")
    trained = Trained(case, {"name": "mse"}, l1=0.01, l2=0.1)
    x, y = case.x(), targets(case, trained.columns())
    plain = Trained(case, {"name": "mse"}).trainer.gradient(x, y, None)
    values = [trained.trainer.get_parameters()[place] for place in trained.places]
    penalty = sum(0.01 * np.abs(w).sum() + 0.1 * (w**2).sum() for w in values)
    assert trained.trainer.penalty() == pytest.approx(penalty, rel=1e-13)
    assert trained.trainer.gradient(x, y, None) == pytest.approx(plain + penalty, rel=1e-13)
    trained.assert_gradients(x, y)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by_weight", [False, True])
def test_many_rows_are_taken_in_blocks(weighted: bool, by_weight: bool) -> None:
    """The gradient over more rows than one block holds is the sum over parts."""
    case = next(case for case in ALL if case.name == "deep")
    trained = Trained(case, {"name": "mse", "mean_by_weight": by_weight}, l2=0.1)
    rows = 20_000
    x = case.x(rows)
    y = targets(case, trained.columns(), rows)
    weight = np.abs(rng("many").normal(size=rows)) if weighted else None
    whole = trained.trainer.gradient(x, y, weight)
    gradients = trained.trainer.gradients()
    divisor = weight.sum() if weight is not None and by_weight else rows
    penalised = Trained(case, {"name": "mse"}, l2=0.1).trainer
    penalised.gradient(x[:1], y[:1], np.zeros(1))
    total, sums = penalised.penalty(), penalised.gradients()
    part = Trained(case, {"name": "mse"}).trainer
    for first in range(0, rows, 500):
        block = slice(first, first + 500)
        total += part.gradient(x[block], y[block], None if weight is None else weight[block]) * 500 / divisor
        for gradient, more in zip(sums, part.gradients(), strict=True):
            gradient += more * 500 / divisor
    assert whole == pytest.approx(total, rel=1e-12)
    for gradient, expected in zip(gradients, sums, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (TrainingNode("Exp"), None),
        (TrainingNode("Floor"), "Floor.*cannot be trained through"),
        (TrainingNode("ReduceSum", (np.array([1]),)), "cannot be trained through"),
        (TrainingNode("LeakyRelu", (), {"alpha": -0.5}), "alpha"),
        (TrainingNode("Sub", (np.ones(3),), place=1), "second operand"),
        (TrainingNode("Mul", (np.ones(3),), trainable=1), "only a product's bias"),
        (TrainingNode("Softmax", (), {"axis": 1}), None),
        (TrainingNode("Gemm", (np.ones((3, 3)),), {"alpha": 2.0}), "alpha and beta"),
        (TrainingNode("Dropout", (np.float64(1.0),)), "ratio"),
    ],
    ids=lambda value: value.op if isinstance(value, TrainingNode) else "",
)
def test_what_cannot_be_trained_is_named(node: TrainingNode, message: str | None) -> None:
    case = TrainingCase("chain", (dense(4, 3), node, dense(1 if node.op == "ReduceSum" else 3, 2)), (4,))
    if message is None:
        Trained(case, {"name": "mse"})
        return
    with pytest.raises((errors.Unsupported, errors.FormatError), match=message):
        Trained(case, {"name": "mse"})
