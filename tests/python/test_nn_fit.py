"""Training a Sequential: what fit, evaluate and train_on_batch do with data, callbacks and mishaps."""

from __future__ import annotations

import gc
import math
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import maas_engine
from maas_engine import nn
from maas_engine.errors import InvalidArgument, NotFinite, Unsupported
from maas_engine.nn import Sequential, callbacks, layers, optimizers

rng = np.random.default_rng(1)
X = rng.standard_normal((200, 6))
Y = (X[:, :2] * [[1.0, -2.0]]).sum(axis=1) + 0.1 * rng.standard_normal(200)
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def regressor(optimizer: Any = "adam", seed: int = 3, metrics: Any = None, dtype: Any = None) -> Sequential:
    nn.set_random_seed(seed)
    model = Sequential([nn.Input((6,)), nn.Dense(16, activation="relu"), nn.Dense(1)], dtype=dtype)
    model.compile(optimizer, "mse", metrics=metrics)
    maas_engine.set_seed(None)
    return model


def classifier(loss: str = "sparse_categorical_crossentropy", **options: Any) -> Sequential:
    nn.set_random_seed(5)
    model = Sequential([nn.Input((6,)), nn.Dense(16, activation="tanh"), nn.Dense(3, activation="softmax")])
    model.compile(options.pop("optimizer", "adam"), loss, metrics=["accuracy"], **options)
    maas_engine.set_seed(None)
    return model


def same_weights(*models: Sequential) -> bool:
    first, *others = (model.get_weights() for model in models)
    return all(np.array_equal(a, b) for other in others for a, b in zip(first, other, strict=True))


def test_textbook_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = np.random.default_rng(0).random((1000, 10)), np.random.default_rng(1).random((1000, 1))
    model = Sequential()
    model.add(layers.Dense(64, activation="relu", input_shape=(10,)))
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(1))
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    history = model.fit(x, y, epochs=10, batch_size=32)
    assert capsys.readouterr().out.count("Epoch") == 10
    assert list(history.history) == ["loss", "mae"]
    assert history.epoch == list(range(10))
    assert history.history["loss"][-1] < history.history["loss"][0]
    loss, mae = model.evaluate(x, y)
    assert "mae:" in capsys.readouterr().out
    predicted = model.predict(x)
    assert predicted.shape == (1000, 1)
    assert loss == pytest.approx(np.mean((predicted - y) ** 2), rel=1e-5)
    assert mae == pytest.approx(np.abs(predicted - y).mean(), rel=1e-5)
    model.save(tmp_path / "model.onnx")
    loaded = maas_engine.load(tmp_path / "model.onnx")
    assert loaded.predict(x.astype("f4")).tobytes() == predicted.tobytes()
    assert capsys.readouterr().out == ""


def test_first_step_is_gradient_descent() -> None:
    model = Sequential([nn.Input((6,)), nn.Dense(1)], dtype="float64")
    model.compile(optimizers.SGD(0.1), "mse")
    (w, b), y = model.get_weights(), Y[:, None]
    error = X @ w + b - y
    loss = model.train_on_batch(X, Y)
    assert loss == pytest.approx((error**2).mean(), rel=1e-12)
    after = model.get_weights()
    np.testing.assert_allclose(after[0], w - 0.1 * 2 * X.T @ error / 200, rtol=1e-10)
    np.testing.assert_allclose(after[1], b - 0.1 * 2 * error.mean(axis=0), rtol=1e-10)
    assert model.optimizer.iterations == 1


def test_classes_are_learned() -> None:
    model = classifier(optimizer=optimizers.Adam(0.03))
    history = model.fit(X, CLASSES, epochs=30, verbose=0)
    assert history.history["accuracy"][-1] > 0.95
    answers = model.evaluate(X, CLASSES, return_dict=True, verbose=0)
    probabilities = model.predict(X)
    assert answers["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == CLASSES).mean())
    picked = probabilities[np.arange(200), CLASSES].astype(float)
    assert answers["loss"] == pytest.approx(-np.log(picked).mean(), rel=1e-4)
    one_hot = classifier("categorical_crossentropy", optimizer=optimizers.Adam(0.03))
    again = one_hot.fit(X, nn.utils.to_categorical(CLASSES), epochs=30, verbose=0)
    np.testing.assert_allclose(again.history["loss"], history.history["loss"], rtol=1e-4)


@pytest.mark.parametrize("shuffle", [True, False])
def test_same_seed_same_bits_however_the_epoch_is_cut(shuffle: bool) -> None:
    class Watching(callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            assert batch == self.seen % 13
            assert set(logs) == {"loss", "mae"}
            self.seen += 1

    watching = Watching()
    whole, watched = regressor(metrics=["mae"]), regressor(metrics=["mae"])
    one = whole.fit(X, Y, epochs=3, batch_size=16, verbose=0, shuffle=shuffle)
    two = watched.fit(X, Y, epochs=3, batch_size=16, verbose=0, shuffle=shuffle, callbacks=[watching])
    assert watching.seen == 39
    assert same_weights(whole, watched)
    for name in ("loss", "mae"):
        np.testing.assert_allclose(one.history[name], two.history[name], rtol=1e-12)
    other = regressor()
    other.fit(X, Y, epochs=3, batch_size=16, verbose=0, shuffle=not shuffle)
    assert not same_weights(whole, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layout_does_not_matter(dtype: str) -> None:
    data = X.astype(dtype)
    expected = regressor(dtype=dtype)
    expected.fit(data, Y, epochs=2, verbose=0)
    for x in (
        np.asfortranarray(data),
        np.repeat(data, 3, axis=0)[::3],
        data.tolist() if dtype == "float64" else data.astype(">f4"),
        pd.DataFrame(data),
        pl.DataFrame(data),
    ):
        model = regressor(dtype=dtype)
        model.fit(x, pd.Series(Y), epochs=2, verbose=0)
        assert same_weights(model, expected)


def test_validation_split_takes_the_last_rows() -> None:
    model, other = regressor(), regressor()
    one = model.fit(X, Y, epochs=2, validation_split=0.25, verbose=0)
    two = other.fit(X[:150], Y[:150], epochs=2, validation_data=(X[150:], Y[150:]), verbose=0)
    assert one.history == two.history
    assert list(one.history) == ["loss", "val_loss"]
    assert one.history["val_loss"][-1] == model.evaluate(X[150:], Y[150:], verbose=0)
    every_other = regressor().fit(X, Y, epochs=4, validation_split=0.25, validation_freq=2, verbose=0)
    assert len(every_other.history["val_loss"]) == 2
    for share in (-0.1, 1.0, 0.999):
        with pytest.raises(InvalidArgument, match="validation_split"):
            model.fit(X, Y, validation_split=share, verbose=0)


def test_iterators_equal_arrays() -> None:
    class Loader:
        ended = 0

        def __len__(self) -> int:
            return 7

        def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
            return X[place * 32 : place * 32 + 32], Y[place * 32 : place * 32 + 32]

        def on_epoch_end(self) -> None:
            self.ended += 1

    class Iterable:
        def __iter__(self) -> Iterator[Any]:
            return (Loader()[place] for place in range(7))

    def endless() -> Iterator[Any]:
        while True:
            yield from Iterable()

    expected = regressor(metrics=["mae"])
    history = expected.fit(X, Y, epochs=3, shuffle=False, verbose=0, validation_data=(X, Y))
    loader = Loader()
    for x, options in (
        (loader, {"validation_data": Loader()}),
        (Iterable(), {"validation_data": Iterable()}),
        (endless(), {"steps_per_epoch": 7, "validation_data": endless(), "validation_steps": 7}),
    ):
        model = regressor(metrics=["mae"])
        found = model.fit(x, epochs=3, shuffle=False, verbose=0, **options)
        assert same_weights(model, expected)
        for name in history.history:
            np.testing.assert_allclose(found.history[name], history.history[name], rtol=1e-6)
        assert model.evaluate(Loader(), verbose=0) == pytest.approx(expected.evaluate(X, Y, verbose=0))
    assert loader.ended == 3
    shuffled = regressor()
    shuffled.fit(Loader(), epochs=3, verbose=0)
    assert not same_weights(shuffled, expected)
    with pytest.warns(UserWarning, match="ran out of data"):
        regressor().fit(iter(Iterable()), steps_per_epoch=9, verbose=0)
    with pytest.raises(InvalidArgument, match="no y"):
        regressor().fit(Loader(), Y, verbose=0)
    with pytest.raises(InvalidArgument, match="at least one batch"):
        regressor().fit(iter([]), verbose=0)


def test_memory_map_is_not_copied(tmp_path: Path) -> None:
    rows, cols = 120_000, 60  # 58 MB
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float64", (rows, cols))
    mapped[:] = 1.0
    del mapped
    gc.collect()
    x, y = np.load(tmp_path / "x.npy", mmap_mode="r"), np.zeros(rows)
    model = Sequential([nn.Input((cols,)), nn.Dense(2, activation="relu"), nn.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x[:100], y[:100], verbose=0)
    x[:].sum()  # pages of the map count as resident: read them before
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.fit(x, y, batch_size=512, verbose=0, validation_split=0.1)
    model.evaluate(x, y, verbose=0)
    model.predict(x)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KB


def test_weights_of_rows_and_classes() -> None:
    weight = rng.random(200)
    model = regressor()
    error = (model.predict(X)[:, 0] - Y) ** 2
    assert model.evaluate(X, Y, sample_weight=weight, verbose=0) == pytest.approx(
        (weight * error).mean(), 1e-5
    )
    by_class, by_row = classifier(), classifier()
    by_class.fit(X, CLASSES, epochs=2, verbose=0, class_weight={0: 2.0, 2: 0.5})
    by_row.fit(X, CLASSES, epochs=2, verbose=0, sample_weight=np.array([2.0, 1.0, 0.5])[CLASSES])
    assert same_weights(by_class, by_row)
    one_hot, plain = classifier("categorical_crossentropy"), classifier()
    one_hot.fit(X, nn.utils.to_categorical(CLASSES), epochs=1, verbose=0, class_weight={0: 2.0})
    plain.fit(X, CLASSES, epochs=1, verbose=0, class_weight={0: 2.0})
    np.testing.assert_allclose(one_hot.get_weights()[0], plain.get_weights()[0], rtol=1e-4, atol=1e-6)
    # Classes weigh rows of training, not of validation.
    one = classifier().fit(X, CLASSES, verbose=0, validation_split=0.5, class_weight={0: 5.0})
    other = classifier()
    other.fit(X[:100], CLASSES[:100], verbose=0, class_weight={0: 5.0})
    assert one.history["val_loss"][0] == pytest.approx(other.evaluate(X[100:], CLASSES[100:], verbose=0)[0])


@pytest.mark.parametrize(
    ("x", "y", "options", "words"),
    [
        (X[:, :5], Y, {}, r"x of shape \(n, 6\)"),
        (X, Y[:5], {}, "y for the 200 rows"),
        (X, None, {}, "targets y"),
        (X, np.array(["a"] * 200), {}, "numbers, got text"),
        (X, np.ones((200, 2)), {}, "y of 1 column "),
        (X[:0], Y[:0], {}, "at least one row"),
        (None, Y, {}, "rows x"),
        (X, Y, {"sample_weight": np.ones(3)}, "one sample weight a row"),
        (X, Y, {"sample_weight": np.full(200, np.nan)}, "finite sample weights"),
        (X, Y, {"class_weight": [1, 2]}, "dict"),
        (X, Y, {"batch_size": 0}, "batch_size"),
        (X, Y, {"validation_data": (X,)}, "validation_data"),
        (X, Y, {"callbacks": ["early"]}, "Callback"),
    ],
)
def test_wrong_data_is_told(x: Any, y: Any, options: Any, words: str) -> None:
    model = regressor()
    before = model.get_weights()
    with pytest.raises(InvalidArgument, match=words):
        model.fit(x, y, verbose=0, **options)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_wrong_classes_are_told() -> None:
    for y, words in (
        (CLASSES + 1, "class numbers from 0 to 2 in y, got 1 to 3"),
        (CLASSES - 1, "got -1 to 1"),
        (CLASSES + 0.5, "fractions"),
        (nn.utils.to_categorical(CLASSES), "categorical_crossentropy"),
    ):
        with pytest.raises(InvalidArgument, match=words):
            classifier().fit(X, y, verbose=0)
    with pytest.raises(InvalidArgument, match="sparse_categorical_crossentropy"):
        classifier("categorical_crossentropy").fit(X, CLASSES, verbose=0)


def test_compile_comes_first() -> None:
    model = Sequential([nn.Input((6,)), nn.Dense(1)])
    for call in (model.fit, model.evaluate, model.train_on_batch):
        with pytest.raises(InvalidArgument, match="compile"):
            call(X, Y)
    with pytest.raises(InvalidArgument, match="loss"):
        model.compile("adam")
    with pytest.raises(Unsupported, match="weighted_metrics"):
        model.compile("adam", "mse", weighted_metrics=["mae"])  # type: ignore[arg-type]


def test_not_finite_loss_names_the_step() -> None:
    y = Y.copy()
    y[40] = np.nan
    model, stopped = regressor(optimizers.Adam(0.002)), regressor(optimizers.Adam(0.002))
    with pytest.raises(NotFinite, match=r"NaN in epoch 1, step 2, at a learning rate of 0\.002"):
        model.fit(X, y, epochs=3, shuffle=False, verbose=0)
    good = regressor(optimizers.Adam(0.002))
    good.fit(X[:32], Y[:32], verbose=0, shuffle=False)
    assert same_weights(model, good)
    assert model.optimizer.iterations == 1
    history = stopped.fit(X, y, epochs=3, shuffle=False, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert same_weights(stopped, good)
    assert len(history.epoch) == 1
    assert math.isnan(history.history["loss"][0])
    big = regressor(optimizers.SGD(1e30))
    with pytest.raises(NotFinite, match="step"):
        big.fit(X, Y, epochs=5, verbose=0)
    assert all(np.isfinite(each).all() for each in big.get_weights())
    with pytest.raises(NotFinite, match="in step 1"):
        regressor().train_on_batch(X, y)


def test_interrupt_keeps_whole_steps() -> None:
    class Interrupting(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 2:
                raise KeyboardInterrupt

    model, other = regressor(), regressor()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, shuffle=False, verbose=0, callbacks=[Interrupting()])
    other.fit(X[:96], Y[:96], shuffle=False, verbose=0)
    assert same_weights(model, other)
    model.fit(X, Y, verbose=0)


def test_callbacks_see_and_change_the_model() -> None:
    class Changing(callbacks.Callback):
        rates: list[float] = []  # noqa: RUF012

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.rates.append(self.model.optimizer.learning_rate)
            self.model.optimizer.learning_rate = 0.0 if epoch else 0.01

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 0:
                self.kept = self.model.get_weights()
            if epoch == 2:
                self.model.stop_training = True

    model, changing = regressor(), Changing()
    history = model.fit(X, Y, epochs=10, verbose=0, callbacks=[changing])
    assert len(history.epoch) == 3
    assert changing.rates == [0.001, 0.01, 0.0]
    assert all(np.array_equal(a, b) for a, b in zip(changing.kept, model.get_weights(), strict=True))


def test_early_stopping_restores() -> None:
    model = regressor(optimizers.SGD(0.3))
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=60, verbose=0, validation_split=0.3, callbacks=[stop])
    assert len(history.epoch) < 60
    best = min(history.history["val_loss"])
    assert model.evaluate(X[140:], Y[140:], verbose=0) == pytest.approx(best, rel=1e-12)


def test_regularisation_counts_in_losses() -> None:
    model = Sequential([nn.Input((6,)), nn.Dense(1, kernel_regularizer="l2", bias_regularizer="l1")])
    model.compile(optimizers.SGD(0.0), "mse")
    model.set_weights([np.ones((6, 1)), np.full(1, -2.0)])
    plain = np.mean((model.predict(X)[:, 0] - Y) ** 2)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(plain + 0.06 + 0.02, rel=1e-5)
    assert model.fit(X, Y, verbose=0).history["loss"][0] == pytest.approx(plain + 0.08, rel=1e-5)


def test_frozen_layers_stay() -> None:
    model = Sequential([nn.Input((6,)), nn.Dense(4), nn.BatchNormalization(), nn.Dense(1)])
    model.layers[0].trainable = model.layers[1].trainable = False
    model.compile("adam", "mse")
    before = model.get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [False] * 6 + [True] * 2
    model.layers[1].set_weights([np.full(4, 2.0)] * 4)  # constants of the trainer's graph
    first = model.evaluate(X, Y, verbose=0)
    assert first == pytest.approx(np.mean((model.predict(X)[:, 0] - Y) ** 2), rel=1e-5)
    model.trainable = True
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.get_weights()[0], before[0])


def test_dropout_and_batch_norm_differ_in_training() -> None:
    model = Sequential(
        [nn.Input((6,)), nn.Dense(8), nn.BatchNormalization(), nn.Dropout(0.5, seed=3), nn.Dense(1)]
    )
    model.compile(optimizers.SGD(0.0), "mse")
    moving = model.layers[1].moving_mean.numpy()
    trained = model.train_on_batch(X, Y)
    assert trained != pytest.approx(model.test_on_batch(X, Y), rel=1e-3)
    batch = (X @ model.get_weights()[0]).mean(axis=0)
    np.testing.assert_allclose(
        model.layers[1].moving_mean.numpy(), 0.99 * moving + 0.01 * batch, rtol=1e-4, atol=1e-6
    )
    assert np.array_equal(model.predict(X), model.predict(X))


def test_training_goes_on_where_it_was() -> None:
    whole, parts = regressor(), regressor()
    whole.fit(X, Y, epochs=4, verbose=0)
    parts.fit(X, Y, epochs=2, verbose=0)
    parts.layers[0].trainable = True
    history = parts.fit(X, Y, epochs=4, initial_epoch=2, verbose=0)
    assert history.epoch == [2, 3]
    assert same_weights(whole, parts)


def test_shared_layers_follow_training() -> None:
    encoder = Sequential([nn.Input((6,)), nn.Dense(2)])
    both = Sequential([encoder, nn.Dense(6)])
    both.compile("adam", "mse")
    before = encoder.predict(X)
    both.fit(X, X, verbose=0)
    after = encoder.predict(X)
    assert not np.array_equal(before, after)
    kernel, bias = both.get_weights()[:2]
    np.testing.assert_allclose(after, X @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_embedding_is_trained() -> None:
    x = rng.integers(0, 20, (300, 3))
    table = rng.standard_normal(20)
    y = table[x].sum(axis=1)
    model = Sequential([layers.Embedding(20, 4), layers.Flatten(), layers.Dense(1)])
    model.compile(optimizers.Adam(0.05), "mse")
    history = model.fit(x, y, epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.1 * history.history["loss"][0]
    with pytest.raises(InvalidArgument):
        model.fit(x + 1, y, verbose=0)


def test_positions_are_flattened() -> None:
    x = rng.random((50, 3, 4))
    y = x.sum(axis=(1, 2))
    model = Sequential(
        [nn.Input((3, 4)), layers.Dense(5, activation="relu"), layers.Flatten(), layers.Dense(1)]
    )
    model.compile(optimizers.Adam(0.01), "mse")
    history = model.fit(x, y, epochs=20, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert model.evaluate(x, y, verbose=0) == pytest.approx(
        np.mean((model.predict(x)[:, 0] - y) ** 2), rel=1e-4
    )


def test_frames_give_their_names() -> None:
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model = regressor()
    model.fit(frame, Y, verbose=0)
    assert np.array_equal(model.predict(frame[list("fedcba")]), model.predict(X))
    assert model.to_model().schema.feature_names == tuple("abcdef")
    with pytest.raises(InvalidArgument, match="'a'"):
        model.predict(frame[list("bcdef")])
    frame["a"] = "text"
    with pytest.raises(InvalidArgument, match="column 'a'"):
        model.fit(frame, Y, verbose=0)


def test_adapted_features_train() -> None:
    scale = layers.Normalization()
    scale.adapt(X * 100 + 7)
    model = Sequential([scale, nn.Dense(8, activation="gelu"), nn.Dense(1)])
    model.compile(optimizers.Adam(0.02), "mse")
    history = model.fit(X * 100 + 7, Y, epochs=10, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert len(model.get_weights()) == 7
