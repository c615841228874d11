"""What a Sequential may be trained on: arrays, maps, frames, batches, weights; and what it says of others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from small_networks import CLASSES, X, Y, classifier, regressor, same_weights

from maas_engine import nn
from maas_engine.errors import InvalidArgument
from maas_engine.nn import Sequential, layers, optimizers

rng = np.random.default_rng(2)


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


MAPPED = """
import resource, sys
import numpy as np
from maas_engine import nn
x = np.load(sys.argv[1], mmap_mode="r")
y = np.zeros(len(x))
model = nn.Sequential([nn.Input((x.shape[1],)), nn.Dense(2, activation="relu"), nn.Dense(1)])
model.compile("sgd", "mse")
model.fit(x[:100], y[:100], verbose=0)
x[:].sum()  # pages of the map count as resident: read them before
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model.fit(x, y, batch_size=512, verbose=0, validation_split=0.1)
model.evaluate(x, y, verbose=0)
model.predict(x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_map_is_not_copied(tmp_path: Path) -> None:
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float64", (120_000, 60))  # 58 MB
    mapped[:] = 1.0
    del mapped
    child = [sys.executable, "-c", MAPPED, str(tmp_path / "x.npy")]  # whose peak no other test has set
    done = subprocess.run(child, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30_000  # KB


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
        (CLASSES + 1, "class numbers from 0 to 2, got 3"),
        (CLASSES - 1, "got -1"),
        (CLASSES + 0.5, r"got \d\.5"),
        (nn.utils.to_categorical(CLASSES), "categorical_crossentropy"),
    ):
        with pytest.raises(InvalidArgument, match=words):
            classifier().fit(X, y, verbose=0)
    with pytest.raises(InvalidArgument, match="sparse_categorical_crossentropy"):
        classifier("categorical_crossentropy").fit(X, CLASSES, verbose=0)


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


def test_beginners_program_on_images() -> None:
    """The program that tutorials begin with: pictures of bytes, a network of logits, a softmax put behind it."""
    images = rng.integers(0, 256, (300, 8, 8), dtype=np.uint8)
    digits = (images[:, :4].sum(axis=(1, 2)) > images[:, 4:].sum(axis=(1, 2))).astype(np.uint8)
    model = Sequential(
        [
            layers.Flatten(input_shape=(8, 8)),
            layers.Rescaling(1 / 255),
            layers.Dense(32, activation=layers.LeakyReLU(0.1)),
            layers.Dropout(0.1),
            layers.Dense(2),
        ]
    )
    loss = nn.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizers.Adam(0.01), loss=loss, metrics=["accuracy"])
    history = model.fit(images, digits, epochs=15, verbose=0)
    assert history.history["accuracy"][-1] > 0.8
    probability = Sequential([model, layers.Softmax()])
    logits = model.predict(images[:5])
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probability(images[:5]), expected, rtol=1e-5)


@pytest.mark.parametrize("shuffle", [True, False])
def test_large_maps_of_bytes_are_converted_by_blocks(
    shuffle: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stored = rng.integers(0, 9, X.shape).astype(np.uint8)
    np.save(tmp_path / "x.npy", stored)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected = regressor(metrics=["mae"])
    one = expected.fit(stored, Y, epochs=2, verbose=0, shuffle=shuffle, validation_data=(stored, Y))
    monkeypatch.setattr("maas_engine.nn._rows._WHOLE", 10)
    monkeypatch.setattr("maas_engine.nn._rows._BLOCK", 70 * 6)  # two batches of 32
    model = regressor(metrics=["mae"])
    other = model.fit(mapped, Y, epochs=2, verbose=0, shuffle=shuffle, validation_data=(mapped, Y))
    assert same_weights(model, expected)
    for name in one.history:
        np.testing.assert_allclose(other.history[name], one.history[name], rtol=1e-12)
    assert model.evaluate(mapped, Y, verbose=0) == pytest.approx(expected.evaluate(stored, Y, verbose=0))
