"""Wrong rows, targets, numbers and layers: one clear error each, and a model that goes on working after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_engine import nn
from maas_engine.errors import InvalidArgument, NotFinite

RNG = np.random.default_rng(0)
X = RNG.random((50, 4))
Y = RNG.random(50)
CLASSES = np.arange(50) % 3


def network(
    loss: str = "mse", units: int = 1, activation: str | None = None, optimizer: Any = "adam", **compiled: Any
) -> nn.Sequential:
    model = nn.Sequential(
        [nn.Input((4,)), nn.Dense(8, activation="relu"), nn.Dense(units, activation=activation)]
    )
    model.compile(optimizer, loss, **compiled)
    return model


def classifier() -> nn.Sequential:
    return network("sparse_categorical_crossentropy", 3, "softmax", metrics=["accuracy"])


def embedding() -> nn.Sequential:
    model = nn.Sequential([nn.Embedding(10, 3, input_length=2), nn.Flatten(), nn.Dense(1)])
    model.compile("adam", "mse")
    return model


def fit(model: nn.Sequential, x: Any, y: Any = None, **options: Any) -> Any:
    return model.fit(x, y, verbose=0, **options)


@pytest.mark.parametrize(
    ("x", "line"),
    [
        (X[:, 0], r"\[fit\] expected x of shape \(n, 4\), got \(50,\)"),
        (X[:, :3], r"expected x of shape \(n, 4\), got \(50, 3\)"),
        (X[:, :, None], r"got \(50, 4, 1\)"),
        (3.0, "x: expected rows, got a single value"),
        ([[1, 2], [3]], "x: expected rows of one length"),
        (np.full((50, 4), "1"), "x: expected numbers, got text"),
        (np.full((50, 4), object()), "x: expected numbers"),
        (X.astype(complex), "got complex128"),
        (X.astype("M8[s]"), r"got datetime64\[s\]"),
        (np.ma.masked_less(X, 0.5), "without a mask"),
        (None, "expected rows x"),
        (X[:0], "expected y for the 0 rows of x, got 50"),
    ],
)
def test_rows(x: Any, line: str) -> None:
    with pytest.raises(InvalidArgument, match=line):
        fit(network(), x, Y)


@pytest.mark.parametrize(
    ("y", "line"),
    [
        (None, "expected targets y for the rows of x"),
        (Y[:49], "expected y for the 50 rows of x, got 49"),
        (np.c_[Y, Y], "expected y of 1 column a row, got 2"),
        (np.full(50, "a"), "y: expected numbers, got text; numpy.unique"),
    ],
)
def test_targets(y: Any, line: str) -> None:
    with pytest.raises(InvalidArgument, match=line):
        fit(network(), X, y)


def test_targets_of_several_outputs() -> None:
    with pytest.raises(
        InvalidArgument, match="expected y of 3 columns a row, got 1; for class numbers use sparse"
    ):
        fit(network("categorical_crossentropy", 3, "softmax"), X, CLASSES)
    with pytest.raises(InvalidArgument, match="for one-hot rows use categorical_crossentropy"):
        fit(classifier(), X, np.eye(3)[CLASSES])


def test_no_rows() -> None:
    with pytest.raises(InvalidArgument, match=r"\[fit\] expected at least one row"):
        fit(network(), X[:0], Y[:0])
    with pytest.raises(InvalidArgument, match=r"\[evaluate\] expected at least one row"):
        network().evaluate(X[:0], Y[:0], verbose=0)
    assert network().predict(X[:0], verbose=0).shape == (0, 1)


@pytest.mark.parametrize("place", ["x", "y"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_change_nothing(place: str, bad: float) -> None:
    x, y = X.copy(), Y.copy()
    x[40, 1], y[40] = (bad, 0) if place == "x" else (0, bad)
    model = network()
    before = model.get_weights()
    with pytest.raises(
        NotFinite, match=r"the loss is (NaN|infinite) in epoch 1, step 1, at a learning rate of 0.001"
    ):
        fit(model, x, y, batch_size=50)
    for was, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    assert np.isfinite(fit(model, X, Y).history["loss"]).all()


@pytest.mark.parametrize("label", [3, -1, 0.5, np.nan, 1e30])
def test_labels_out_of_range(label: float) -> None:
    y = CLASSES.astype(np.float64)
    y[17] = label
    model = classifier()
    for call in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(
            InvalidArgument, match=rf"y: expected class numbers from 0 to 2, got {label}".replace("+", r"\+")
        ):
            call(X, y)
    with pytest.raises(InvalidArgument, match=r"\[validation_data\] y: expected class numbers"):
        fit(model, X, CLASSES, validation_data=(X, y))
    assert np.isfinite(fit(model, X, CLASSES).history["loss"]).all()


@pytest.mark.parametrize("index", [10, -1, 1.5, np.nan, 2**62])
def test_indices_out_of_range(index: float) -> None:
    x = np.array([[0, 9], [index, 1]])
    model = embedding()
    for call in (lambda: fit(model, x, Y[:2]), lambda: model.evaluate(x, Y[:2]), lambda: model.predict(x)):
        with pytest.raises(InvalidArgument, match="x: expected indices from 0 to 9, got "):
            call()
    assert np.isfinite(fit(model, x[:1], Y[:1]).history["loss"]).all()
    with pytest.raises(InvalidArgument, match=r"expected x of shape \(n, 2\), got \(5, 3\)"):
        fit(model, np.zeros((5, 3), np.int64), Y[:5])


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"batch_size": 0}, "expected batch_size to be a whole number from 1 on, got 0"),
        ({"batch_size": -5}, "got -5"),
        ({"batch_size": 2.5}, r"got 2\.5"),
        ({"batch_size": "a"}, "got 'a'"),
        ({"epochs": -1}, "expected epochs to be a whole number from 0 on, got -1"),
        ({"epochs": "3"}, "got '3'"),
        ({"initial_epoch": -1}, "initial_epoch"),
        ({"steps_per_epoch": 0}, "expected steps_per_epoch to be a whole number from 1 on, got 0"),
        ({"validation_freq": 0}, "validation_freq"),
        ({"validation_split": 1}, "expected 0 <= validation_split < 1, got 1"),
        ({"validation_split": -0.1}, r"got -0\.1"),
        ({"validation_data": (X,)}, r"expected validation_data \(x, y\)"),
        ({"validation_data": (X[:, :2], Y)}, r"\[validation_data\] expected x of shape \(n, 4\)"),
        ({"sample_weight": Y[:3]}, "expected one sample weight a row, 50"),
        ({"sample_weight": Y * np.nan}, "expected finite sample weights"),
        ({"sample_weight": ["a"] * 50}, "sample_weight: expected numbers, got text"),
        ({"class_weight": [1, 2]}, "expected class_weight to be a dict"),
        ({"class_weight": {0: "a"}}, r"expected class_weight\[0\] to be a number, got 'a'"),
        ({"callbacks": [3]}, "expected instances of Callback, got 3"),
    ],
)
def test_options_of_fit(options: dict[str, Any], line: str) -> None:
    with pytest.raises(InvalidArgument, match=line):
        fit(network(), X, Y, **options)
    with pytest.raises(InvalidArgument, match="expected verbose to be 0, 1, 2 or 'auto', got 'loud'"):
        network().fit(X, Y, verbose="loud")


def test_a_batch_may_be_larger_than_the_rows_and_an_epoch_shorter() -> None:
    model = network()
    fit(model, X, Y, batch_size=10**30)
    assert model.optimizer.iterations == 1
    for shuffle in (True, False):
        fit(model, X, Y, batch_size=10, steps_per_epoch=3, shuffle=shuffle)
    assert model.optimizer.iterations == 7


def batches(count: int) -> Iterator[tuple[Any, Any]]:
    for number in range(count):
        yield X[10 * number : 10 * number + 10], Y[10 * number : 10 * number + 10]


def test_iterators_that_end_early_end_training() -> None:
    model = network()
    with pytest.warns(UserWarning, match="ran out of data after 0 of 3 steps"):
        history = fit(model, batches(3), steps_per_epoch=3, epochs=2)
    assert len(history.epoch) == 1
    with pytest.warns(UserWarning, match="ran out of data after 1 epochs"):
        history = fit(model, batches(2), epochs=3)
    assert len(history.epoch) == 1
    with pytest.warns(UserWarning, match="ran out of data after 2 of 5 steps"):
        fit(model, batches(2), steps_per_epoch=5)
    assert model.optimizer.iterations == 7
    with pytest.raises(InvalidArgument, match="expected at least one batch, got none"):
        fit(model, batches(0))
    with pytest.raises(InvalidArgument, match=r"\[predict\] expected at least one batch"):
        model.predict(iter([]), verbose=0)


@pytest.mark.parametrize(
    ("second", "line"),
    [
        ((X[:10, :2], Y[:10]), r"expected x of shape \(n, 4\), got \(10, 2\)"),
        ((X[:10], np.c_[Y, Y][:10]), "expected y of 1 column a row, got 2"),
        ((X[:10], Y[:9]), "expected y for the 10 rows of x, got 9"),
        (X[:10], "expected targets y"),
        ((1, 2, 3, 4), "expected batches .* got 4 parts"),
        (None, "expected rows x"),
        (7, "expected rows, got a single value"),
    ],
)
def test_batches_that_change(second: Any, line: str) -> None:
    model = network()
    with pytest.raises(InvalidArgument, match=line):
        fit(model, iter([(X[:10], Y[:10]), second]))
    assert model.optimizer.iterations == 1  # the first batch counts
    assert fit(model, iter([(X[:10], Y[:10]), (X, Y)])).history["loss"][0] > 0  # batches may grow


def test_nothing_is_given_beside_batches() -> None:
    model = network()
    for beside in ({"y": Y}, {"sample_weight": np.ones(len(Y))}, {"validation_split": 0.2}):
        with pytest.raises(InvalidArgument, match=r"a source of batches .* alone"):
            fit(model, batches(2), **beside)
    with pytest.raises(InvalidArgument, match=r"\[evaluate\] expected a source of batches"):
        model.evaluate(batches(2), sample_weight=np.ones(len(Y)), verbose=0)


def test_more_steps_than_rows_are_named() -> None:
    with pytest.warns(UserWarning, match="steps_per_epoch is 1000, but the rows give"):
        fit(network(), X, Y, steps_per_epoch=1000)


def test_errors_of_a_generator_are_its_own() -> None:
    with pytest.raises(ZeroDivisionError):
        fit(network(), (1 // zero for zero in (0,)))


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: nn.Dense(0), "expected units to be a whole number from 1 on, got 0"),
        (lambda: nn.Dense("a"), "units"),
        (lambda: nn.Dense(2.5), "units"),
        (lambda: nn.Dense(None), "units"),
        (lambda: nn.Embedding(0, 3), "input_dim"),
        (lambda: nn.Embedding(5, "3"), "output_dim"),
        (lambda: nn.Dropout(1.0), r"expected 0 <= rate < 1, got 1\.0"),
        (lambda: nn.Dropout("a"), "expected rate to be a number, got 'a'"),
        (lambda: nn.losses.Huber(delta="a"), "delta to be a number"),
        (lambda: nn.losses.BinaryCrossentropy(label_smoothing="a"), "label_smoothing to be a number"),
        (lambda: nn.regularizers.L2("a"), "l2 to be a number"),
        (lambda: nn.schedules.ExponentialDecay(0.1, "a", 0.9), "decay_steps to be a number"),
        (lambda: nn.schedules.ExponentialDecay("a", 9, 0.9), "initial_learning_rate to be a number"),
        (lambda: nn.callbacks.EarlyStopping(patience="a"), "patience to be a whole number from 0 on"),
        (lambda: nn.callbacks.ReduceLROnPlateau(factor=2), "expected 0 <= factor < 1, got 2"),
        (lambda: nn.LayerNormalization(epsilon="a"), "epsilon to be a number"),
        (lambda: nn.Normalization().adapt([["a"]]), "expected rows of numbers"),
        (lambda: nn.BatchNormalization(momentum=2.0), "momentum"),
        (lambda: nn.BatchNormalization(epsilon=-1), "epsilon"),
        (lambda: nn.Input("a"), "expected the shape of one sample"),
        (lambda: nn.Input((None,)), "expected the shape of one sample"),
        (lambda: nn.Dense(2, activation="relux"), "expected one of .*relu.* got 'relux'"),
        (lambda: nn.Sequential([nn.Input((4,)), nn.Reshape((3,))]), r"expected \(3,\) to hold the 4 values"),
        (lambda: network(optimizer="adan"), "expected one of 'sgd', 'adam'"),
        (lambda: network(loss="foo"), "expected one of 'mean_squared_error'"),
        (lambda: network(metrics=["foo"]), "expected one of 'accuracy'"),
        (lambda: network(optimizer=nn.optimizers.Adam(learning_rate="x")), "learning_rate to be a number"),
        (lambda: nn.optimizers.SGD("0.1"), "expected learning_rate to be a number, got '0.1'"),
        (lambda: nn.losses.Huber(delta=0), "expected delta to be finite and above 0, got 0"),
        (lambda: nn.initializers.VarianceScaling(-1), "expected scale to be finite and above 0"),
        (lambda: nn.Sequential([nn.Input((4,)), nn.Dense(1)]).fit(X, Y), "expected a compiled model"),
        (lambda: nn.Sequential(nn.Dense(1)), "expected a list of layers, got <Dense"),
        (lambda: nn.Sequential().predict(X), "expected at least one layer"),
        (lambda: network().set_weights([np.zeros((2, 2))] * 4), r"expected shape \(4, 8\), got \(2, 2\)"),
        (lambda: network().predict(X[:, :2]), r"\[predict\] expected x of shape \(n, 4\)"),
        (lambda: network().predict([["a"] * 4]), "expected numbers, got text"),
    ],
)
def test_layers_and_models(make: Callable[[], Any], line: str) -> None:
    with pytest.raises(InvalidArgument, match=line):
        make()


@pytest.mark.parametrize("units", [10**12, 10**19])
def test_layers_beyond_memory(units: int) -> None:
    with pytest.raises(MemoryError, match=rf"\[dense\] no memory for kernel of shape \(10, {units}\)"):
        nn.Sequential([nn.Input((10,)), nn.Dense(units)])
    with pytest.raises(MemoryError, match=r"\[embedding\] no memory for embeddings"):
        nn.Sequential([nn.Embedding(units, 100, input_length=1)])


def test_a_learning_rate_too_large_is_named() -> None:
    with pytest.raises(NotFinite, match=r"at a learning rate of 1e\+30; the weights are those before it"):
        fit(network(optimizer=nn.optimizers.SGD(learning_rate=1e30)), X, 1e10 * Y, epochs=9)


def test_files_in_folders_that_are_missing(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    for save in (network().save_weights, network().save_checkpoint):
        with pytest.raises(FileNotFoundError, match=f"'{folder}'"):
            save(folder / "w.safetensors")
