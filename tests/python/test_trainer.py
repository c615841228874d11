"""The compiled training loop: rows of any kind, resuming, losses that are not finite, results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases.training import TrainingCase, TrainingNode, dense
from cases.values import rng
from fit_everywhere import layouts
from small_trainers import MIXED, ROWS, TABLE, X, Y, make_trainer, rates, state, train

import maas_engine
from maas_engine import _core, errors


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [MIXED, TABLE], ids=str)
def test_bits_are_those_of_any_threads_and_target(case: TrainingCase, dtype: str) -> None:
    x = X if not case.table else rng("indices").integers(0, 7, (ROWS, 3))

    def bits() -> bytes:
        trainer = make_trainer(case, dtype, "mse", ("mae",), l2=1e-3)
        result = train(trainer, x)
        last = np.array([result.loss, *result.metrics, trainer.evaluate(x, Y, None).loss])
        return state(trainer) + last.tobytes()

    found, threads = set(), _core.num_threads()
    try:
        for count in (1, 2, 4):
            _core.set_num_threads(count)
            found.add(bits())
        for target in _core.supported_targets():
            _core.set_target(target)
            if _core.target_has_fma():
                found.add(bits())
    finally:
        _core.set_num_threads(threads)
        _core.set_target("")
    assert len(found) == 1


def test_bits_of_wide_layers_are_those_of_any_threads() -> None:
    wide = TrainingCase(
        "wide",
        (
            dense(300, 520, "a"),
            TrainingNode("Relu"),
            dense(520, 260, "b"),
            TrainingNode("Tanh"),
            dense(260, 10, "c"),
        ),
        (300,),
    )
    x, y = rng("wide").normal(size=(512, 300)).astype("float32"), rng("wide y").normal(size=(512, 10))
    found, threads = set(), _core.num_threads()
    try:
        for count in (1, 2, 4):
            _core.set_num_threads(count)
            trainer = make_trainer(wide)
            train(trainer, x, y, batch=200)
            found.add(state(trainer))
    finally:
        _core.set_num_threads(threads)
    assert len(found) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_are_those_of_any_layout(dtype: str) -> None:
    found = set()
    for x, y in zip(layouts(X.astype(dtype)), layouts(Y.astype(dtype)), strict=True):
        trainer = make_trainer(dtype=dtype)
        train(trainer, x, y)
        found.add(state(trainer) + np.float64(trainer.evaluate(x, y, None).loss).tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32", "bool"])
def test_numbers_of_any_type_are_taken(kind: str) -> None:
    x = np.round(X * 3).astype(kind)
    trainers = make_trainer(), make_trainer()
    for trainer, rows in zip(trainers, (x, x.astype("float32")), strict=True):
        train(trainer, rows)
    assert state(trainers[0]) == state(trainers[1])
    assert trainers[0].evaluate(x, Y, None).loss == trainers[1].evaluate(x.astype("float32"), Y, None).loss


def test_memory_maps_are_taken(tmp_path: Path) -> None:
    x = rng("map").normal(size=(3000, 4)).astype("float32")
    y = rng("map y").normal(size=(3000, 3)).astype("float32")
    for name, array in (("x", x), ("y", y)):
        np.save(tmp_path / f"{name}.npy", array)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"]
    in_memory, from_file = make_trainer(), make_trainer()
    train(in_memory, x, y)
    train(from_file, *mapped)
    assert state(in_memory) == state(from_file)
    assert in_memory.evaluate(x, y, None).loss == from_file.evaluate(*mapped, None).loss


def test_an_order_is_rows_moved() -> None:
    order = _core.random_permutation(3, 0, ROWS)[:70]
    picked, moved = make_trainer(), make_trainer()
    weight = rng("weight").random(ROWS)
    first = picked.run(X, Y, weight, order, 16, rates(5))
    second = moved.run(X[order], Y[order], weight[order], None, 16, rates(5))
    assert (first.loss, first.steps) == (second.loss, 5)
    assert state(picked) == state(moved)


@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop", "adagrad"])
@pytest.mark.parametrize("case", [MIXED, TABLE], ids=str)
def test_resuming_is_not_having_stopped(case: TrainingCase, rule: str) -> None:
    x = X if not case.table else rng("indices").integers(0, 7, (ROWS, 3))
    optimizer: dict[str, Any] = (
        {"rule": rule, "momentum": 0.9} if rule in ("sgd", "rmsprop") else {"rule": rule}
    )
    whole = make_trainer(case, optimizer=optimizer)
    whole.run(x, Y, None, None, 10, rates(10))
    stopped = make_trainer(case, optimizer=optimizer)
    stopped.run(x[:40], Y[:40], None, None, 10, rates(4))
    resumed = make_trainer(case, optimizer=optimizer)
    resumed.set_parameters(stopped.get_parameters())
    resumed.set_slots(stopped.get_slots())
    resumed.iterations = stopped.iterations
    resumed.run(x[40:], Y[40:], None, None, 10, rates(6))
    assert resumed.iterations == whole.iterations == 10
    assert state(resumed) == state(whole)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_before_it_changes_anything(bad: float) -> None:
    x = X.astype("float32")
    x[57, 2] = bad
    trainer, before = make_trainer(), make_trainer()
    result = trainer.run(x, Y, None, None, 10, rates(10))
    before.run(x[:50], Y[:50], None, None, 10, rates(5))
    assert (result.bad_step, result.steps) == (5, 5)
    assert not np.isfinite(result.bad_loss)
    assert np.isfinite(result.loss)
    assert trainer.iterations == 5
    assert state(trainer) == state(before)  # the moving averages too


def test_results_merge() -> None:
    one, two = make_trainer(metrics=("mae",)), make_trainer(metrics=("mae",))
    whole = one.run(X, Y, None, None, 16, rates(7))
    first = two.run(X[:48], Y[:48], None, None, 16, rates(3))
    first.merge(two.run(X[48:], Y[48:], None, None, 16, rates(4)))
    assert (first.loss, first.steps) == (pytest.approx(whole.loss), whole.steps)
    assert first.metrics == pytest.approx(whole.metrics)
    assert (first.bad_step, first.bad_loss) == (None, 0)
    x = X.copy()
    x[70] = np.nan
    first.merge(two.run(x, Y, None, None, 16, rates(7)))
    assert (first.bad_step, first.steps) == (7 + 4, 7 + 4)
    assert np.isnan(first.bad_loss)
    with pytest.raises(errors.InvalidArgument, match="the same metrics"):
        first.merge(make_trainer().evaluate(X, Y, None))


def test_nothing_to_train_on() -> None:
    trainer = make_trainer(metrics=("mae",))
    before = state(trainer)
    result = trainer.run(X, Y, None, np.empty(0, np.uint32), 16, rates(0))
    assert (result.loss, result.metrics, result.steps) == (0.0, [0.0], 0)
    assert trainer.run(X[:0], Y[:0], None, None, 16, rates(0)).steps == 0
    assert trainer.evaluate(X[:0], Y[:0], None).loss == 0
    assert state(trainer) == before


# --- evaluating ------------------------------------------------------------------------------------------


def classifier(classes: int) -> TrainingCase:
    end = TrainingNode("Sigmoid" if classes == 1 else "Softmax")
    return TrainingCase(
        "classifier", (dense(4, 8, "in"), TrainingNode("Tanh"), dense(8, classes, "out"), end), (4,)
    )


def test_evaluate_is_of_what_the_model_predicts() -> None:
    classes = rng("labels").integers(0, 3, ROWS)
    names = ("accuracy", "sparse_categorical_crossentropy")
    trainer = make_trainer(classifier(3), loss="sparse_categorical_crossentropy", metrics=names)
    train(trainer, X.astype("float32"), classes)
    predicted = maas_engine.Model(trainer.graph()).predict(X.astype("float32"))
    loss = -np.log(predicted[np.arange(ROWS), classes].astype("float64")).mean()
    result = trainer.evaluate(X.astype("float32"), classes, None)
    assert result.loss == pytest.approx(loss, rel=1e-6)
    assert result.metrics == [(predicted.argmax(axis=1) == classes).mean(), pytest.approx(loss, rel=1e-6)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [MIXED, TABLE], ids=str)
def test_evaluate_predicts_with_the_bits_of_the_model(case: TrainingCase, dtype: str) -> None:
    x = X.astype(dtype) if not case.table else rng("indices").integers(0, 7, (ROWS, 3))
    trainer = make_trainer(case, dtype)
    train(trainer, x)
    predicted = maas_engine.Model(trainer.graph()).predict(x)
    assert trainer.evaluate(x, predicted, None).loss == 0


def test_metrics_before_and_after_the_closing_activation() -> None:
    labels = (X[:, 0] > 0).astype("float64")
    names = ("accuracy", "mse", "root_mean_squared_error", "binary_crossentropy")
    trainer = make_trainer(classifier(1), "float64", "binary_crossentropy", names)
    (output,) = _core.Program(trainer.graph(), [], True).run({"x": X}, 0).values()
    p = output[:, 0]
    cross = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean()
    square = ((p - labels) ** 2).mean()
    expected = [((p > 0.5) == labels).mean(), square, np.sqrt(square), cross]
    evaluated = trainer.evaluate(X, labels, None)
    assert evaluated.loss == pytest.approx(cross, rel=1e-12)
    assert evaluated.metrics == pytest.approx(expected, rel=1e-12)
    trained = trainer.run(X, labels, None, None, ROWS, np.zeros(1))
    assert trained.loss == pytest.approx(cross, rel=1e-12)
    assert trained.metrics == pytest.approx(expected, rel=1e-12)


def test_many_rows_are_evaluated_in_blocks() -> None:
    x, y = rng("many").normal(size=(30_001, 4)), rng("many y").normal(size=(30_001, 3))
    weight = rng("many weights").random(30_001)
    trainer = make_trainer(dtype="float64", metrics=("mae",))
    (p,) = _core.Program(trainer.graph(), [], True).run({"x": x}, 0).values()
    result = trainer.evaluate(x, y, weight)
    assert result.loss == pytest.approx((((p - y) ** 2).mean(axis=1) * weight).mean(), rel=1e-12)
    assert result.metrics == [pytest.approx(np.abs(p - y).mean(), rel=1e-12)]


def test_penalties_are_in_the_loss_of_training_alone() -> None:
    plain, penalised = make_trainer(dtype="float64"), make_trainer(dtype="float64", l2=0.1)
    per_row = make_trainer(dtype="float64", l2=0.1, per_row=True)
    losses = [
        trainer.run(X, Y, None, None, ROWS, np.zeros(1)).loss for trainer in (plain, penalised, per_row)
    ]
    assert losses[1] - losses[0] == pytest.approx(penalised.penalty(), rel=1e-10)
    assert losses[2] - losses[0] == pytest.approx(penalised.penalty() / ROWS, rel=1e-10)
    assert penalised.evaluate(X, Y, None).loss == per_row.evaluate(X, Y, None).loss


# --- the graph --------------------------------------------------------------------------------------------


def test_graph_has_the_present_values_and_no_dropout() -> None:
    trainer = make_trainer()
    train(trainer)
    graph = trainer.graph()
    assert "Dropout" not in [node.op for node in graph.nodes]
    assert len(graph.nodes) == len(MIXED.nodes) - 2
    assert not [name for name, array in graph.initializers.items() if array.ndim == 0]  # the ratio
    _, parameters = MIXED.graph()
    for (name, *_), value in zip(parameters, trainer.get_parameters(), strict=True):
        np.testing.assert_array_equal(graph.initializers[name], value)


def test_a_closing_dropout_becomes_identity() -> None:
    trainer = make_trainer(TrainingCase("closing", (dense(4, 3), TrainingNode("Dropout")), (4,)))
    assert [node.op for node in trainer.graph().nodes] == ["Gemm", "Identity"]


def test_parameters_and_slots_are_copies_of_the_initializers_shapes() -> None:
    trainer = make_trainer(dtype="float64")
    graph, parameters = MIXED.graph("float64")
    trainer.gradient(X, Y, None)
    values = trainer.get_parameters()
    assert trainer.dtype == "float64"
    assert trainer.slot_names == ["momentum", "velocity"]
    for (name, *_), value in zip(parameters, values, strict=True):
        np.testing.assert_array_equal(value, graph.initializers[name])
    trained = [value.shape for value, (_, trains, *_) in zip(values, parameters, strict=True) if trains]
    for arrays in (trainer.gradients(), *trainer.get_slots()):
        assert [array.shape for array in arrays] == trained
    values[0][:] = 7
    assert not (trainer.get_parameters()[0] == 7).any()
    trainer.set_parameters([np.asfortranarray(value) for value in values])
    assert (trainer.get_parameters()[0] == 7).all()
    slots = [
        [rng("slot", i, j).normal(size=array.shape) for j, array in enumerate(slot)]
        for i, slot in enumerate(trainer.get_slots())
    ]
    trainer.set_slots(slots)
    for given, got in zip(slots, trainer.get_slots(), strict=True):
        for a, b in zip(given, got, strict=True):
            np.testing.assert_array_equal(a, b)
