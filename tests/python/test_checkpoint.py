"""Weights and checkpoints: going on from one is not having stopped, and other models' are refused in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoint_models import ROWS, TARGET, TRAIN, listeners, network

from maas_engine import _safetensors, nn
from maas_engine.errors import FormatError, InvalidArgument, NotFound, Unsupported
from maas_engine.nn import callbacks, optimizers

OPTIMIZERS: dict[str, Callable[[], optimizers.Optimizer]] = {
    "sgd": lambda: optimizers.SGD(0.01),
    "nesterov": lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True, clipnorm=1.0),
    "adam": lambda: optimizers.Adam(0.01),
    "amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True, global_clipnorm=1.0),
    "adamw-cosine": lambda: optimizers.AdamW(nn.schedules.CosineDecay(0.02, 30, warmup_target=0.05, warmup_steps=7)),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: optimizers.Adagrad(0.05, clipvalue=0.5),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_going_on_is_not_having_stopped(name: str, dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "c-{epoch}.safetensors"
    saving = callbacks.ModelCheckpoint(path, save_checkpoint=True)
    changing = "cosine" not in name
    nn.set_random_seed(7)
    whole = network(dtype, optimizer=OPTIMIZERS[name]())
    all_of_it = whole.fit(ROWS, TARGET, epochs=8, callbacks=[saving, *listeners(changing)], **TRAIN)
    assert len(all_of_it.epoch) >= 4  # unless stopped early
    for done in (1, 3, len(all_of_it.epoch)):
        nn.set_random_seed(done)
        resumed = network(dtype, optimizer=OPTIMIZERS[name]())
        first = resumed.load_checkpoint(str(path).format(epoch=done))
        assert first == done
        again = [callbacks.ModelCheckpoint(path, save_checkpoint=True), *listeners(changing)]
        before = {each: each.read_bytes() for each in tmp_path.iterdir()}
        history = resumed.fit(ROWS, TARGET, epochs=8, initial_epoch=first, callbacks=again, **TRAIN)
        assert history.history == all_of_it.history
        assert history.epoch == all_of_it.epoch
        for ours, theirs in zip(resumed.get_weights(), whole.get_weights(), strict=True):
            assert ours.tobytes() == theirs.tobytes()
        assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_layers_adapted_before_they_have_a_place(tmp_path: Path) -> None:
    """Two layers called "normalization" until the model tells them apart."""
    data = np.random.default_rng(0).standard_normal((50, 3))
    first, second = nn.Normalization(), nn.Normalization()
    first.adapt(data)
    second.adapt(2 * data)
    model = nn.Sequential([first, nn.Dense(3), second, nn.Dense(1)])
    paths = [each.path for each in model.weights]
    assert len(set(paths)) == len(paths)
    model.save_weights(tmp_path / "w.safetensors")
    assert set(_safetensors.read(tmp_path / "w.safetensors")[0]) == set(paths)
    expected = model.predict(data)
    second.adapt(data)
    model.load_weights(tmp_path / "w.safetensors")
    assert np.array_equal(model.predict(data), expected)


class Places:
    """Batches by their place, as a data loader gives them."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return 9

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        return self.x[place * 10 :][:10], self.y[place * 10 :][:10]


def embedding() -> nn.Sequential:
    layers = [nn.Input((3,), dtype="int64"), nn.Embedding(7, 4), nn.Flatten(), nn.Dropout(0.5), nn.Dense(2)]
    return nn.Sequential(layers)


def frozen() -> nn.Sequential:
    model = nn.Sequential(
        [nn.Input((6,)), nn.Dense(5, activation="gelu"), nn.LayerNormalization(), nn.Dense(2)]
    )
    model.layers[0].trainable = False
    return model


def adapted() -> nn.Sequential:
    scaling = nn.Normalization()
    scaling.adapt(ROWS)
    return nn.Sequential(
        [nn.Input((6,)), scaling, nn.Dense(4, activation="relu"), nn.Dropout(0.2), nn.Dense(2)]
    )


@pytest.mark.parametrize("make", [embedding, frozen, adapted])
@pytest.mark.parametrize("source", ["weighted", "places"])
def test_any_model_and_source_goes_on(make: Callable[[], nn.Sequential], source: str, tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(0, 7, (90, 3)) if make is embedding else ROWS
    rows: dict[str, Any] = {"x": x, "y": TARGET, "sample_weight": np.arange(90.0), "batch_size": 7}
    if source == "places":
        rows = {"x": Places(x, TARGET)}
    path = tmp_path / "c.safetensors"
    whole, resumed = make(), make()
    for model in (whole, resumed):
        model.compile(optimizers.AdamW(0.01), "mse")
    history = whole.fit(
        epochs=4,
        callbacks=[
            callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, _: epoch == 1 and whole.save_checkpoint(path, epoch=2)
            )
        ],
        verbose=0,
        **rows,
    )
    first = resumed.load_checkpoint(path)
    again = resumed.fit(epochs=4, initial_epoch=first, verbose=0, **rows)
    assert again.history["loss"][-2:] == history.history["loss"][-2:]
    for ours, theirs in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_was_stopped_early_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"

    def stopping() -> list[callbacks.Callback]:
        early = callbacks.EarlyStopping(min_delta=100, patience=2, restore_best_weights=True)
        return [early, callbacks.ModelCheckpoint(path, save_checkpoint=True)]

    model, other = network(), network()
    history = model.fit(ROWS, TARGET, epochs=9, callbacks=stopping(), **TRAIN)
    assert history.epoch == [0, 1, 2]
    first = other.load_checkpoint(path)
    resumed = other.fit(ROWS, TARGET, epochs=9, initial_epoch=first, callbacks=stopping(), **TRAIN)
    assert resumed.history == history.history
    for ours, theirs in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_backup_and_restore(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "backup"
    nn.set_random_seed(3)
    whole = network()
    expected = whole.fit(ROWS, TARGET, epochs=6, **TRAIN)

    class Killed(Exception):
        pass

    def kill(epoch: int, logs: Any) -> None:
        if epoch == 3:
            raise Killed

    log = tmp_path / "log.csv"
    nn.set_random_seed(3)
    restoring = [callbacks.BackupAndRestore(folder), callbacks.CSVLogger(log)]
    with pytest.raises(Killed):
        network().fit(
            ROWS,
            TARGET,
            epochs=6,
            callbacks=[*restoring, callbacks.LambdaCallback(on_epoch_end=kill)],
            **TRAIN,
        )
    assert len(log.read_text().splitlines()) == 5  # a row more than the backup knows of
    nn.set_random_seed(99)
    model = network()
    history = model.fit(ROWS, TARGET, epochs=6, callbacks=restoring, **TRAIN)
    assert history.epoch == list(range(6))
    assert history.history == expected.history
    assert [row.split(",")[0] for row in log.read_text().splitlines()] == ["epoch", *map(str, range(6))]
    assert list(folder.iterdir()) == []  # the run has come to its end
    again = network().fit(ROWS, TARGET, epochs=1, callbacks=restoring, **TRAIN)
    assert again.epoch == [0]
    keeping = callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    network().fit(ROWS, TARGET, epochs=1, callbacks=[keeping], **TRAIN)
    assert Path(keeping.path).exists()
    with pytest.raises(Unsupported, match="save_freq=7"):
        callbacks.BackupAndRestore(folder, save_freq=7)
    with pytest.raises(InvalidArgument, match="a folder"):
        callbacks.BackupAndRestore("")


def test_a_checkpoint_within_the_same_process_rewinds(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model = network()
    model.fit(ROWS, TARGET, epochs=2, **TRAIN)
    model.save_checkpoint(path)
    runs = []
    for _ in range(2):
        assert model.load_checkpoint(path) == 2
        runs.append(model.fit(ROWS, TARGET, epochs=4, initial_epoch=2, **TRAIN).history)
    assert runs[0] == runs[1]
    assert len(runs[0]["loss"]) == 4


def test_a_model_that_has_not_trained_has_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model, other = network(), network()
    model.save_checkpoint(path)
    assert other.load_checkpoint(path) == 0
    first, second = (each.fit(ROWS, TARGET, epochs=2, **TRAIN).history for each in (model, other))
    assert first == second


def test_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    model, other = network(), network()
    model.save_weights(path)
    names = set(_safetensors.read(path)[0])
    assert {"dense/kernel", "batch_normalization/moving_mean", "dense_2/bias"} <= names
    other.load_weights(path)
    np.testing.assert_array_equal(model.predict(ROWS, verbose=0), other.predict(ROWS, verbose=0))
    model.fit(ROWS, TARGET, **TRAIN)
    model.save_checkpoint(path)
    other.load_weights(path)
    np.testing.assert_array_equal(model.predict(ROWS, verbose=0), other.predict(ROWS, verbose=0))
    with pytest.raises(FileExistsError):
        model.save_weights(path, overwrite=False)
    with pytest.raises(Unsupported, match="skip_mismatch"):
        model.load_weights(path, skip_mismatch=True)
    with pytest.raises(NotFound):
        model.load_weights(tmp_path / "absent.safetensors")


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({"units": 13}, r"float32\[6, 12\].*float32\[6, 13\]"),
        ({"dtype": "float64"}, "'type float32', there 'type float64'"),
        ({"activation": "tanh"}, "'layer Relu', there 'layer Tanh'"),
        ({"rate": 0.5}, "'layer Dropout 0.3"),
        ({"regularizer": None}, "l2=0.01"),
        ({"loss": "mae"}, "'loss mean_squared_error', there 'loss mean_absolute_error'"),
        ({"loss": nn.losses.Huber(2.0)}, "there 'loss huber, delta=2.0'"),
        ({"optimizer": "sgd"}, "'optimizer adam', there 'optimizer sgd'"),
        ({"optimizer": optimizers.Adam(beta_1=0.8)}, "beta_1=0.9', there 'optimizer beta_1=0.8'"),
        (
            {"optimizer": optimizers.Adam(nn.schedules.CosineDecay(0.1, 9))},
            "a number', there 'learning rate CosineDecay",
        ),
    ],
)
def test_checkpoints_of_other_models_are_refused(there: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    network(**there).save_checkpoint(path)
    model = network()
    before = model.get_weights()
    with pytest.raises(FormatError, match=words):
        model.load_checkpoint(path)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_learning_rate_is_the_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    model, other = network(), network()
    model.optimizer.learning_rate = 0.125
    model.save_checkpoint(path)
    other.load_checkpoint(path)
    assert other.optimizer.learning_rate == 0.125


def test_weights_of_other_models_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    model = network()
    for there, words in (
        (network(units=13), r"expected dense/kernel of float32\[6, 12\], got float32\[6, 13\]"),
        (network("float64"), r"got float64\[6, 12\]"),
        (nn.Sequential([nn.Input((6,)), nn.Dense(12)]), "batch_normalization/gamma of .* got none"),
    ):
        there.save_weights(path)
        with pytest.raises(FormatError, match=words):
            model.load_weights(path)
    deeper = network()
    deeper.add(nn.Dense(1))
    deeper.save_weights(path)
    with pytest.raises(FormatError, match="no more weights than the model's, got 'dense_3"):
        model.load_weights(path)
    model.save_weights(path)
    with pytest.raises(FormatError, match="use load_weights"):
        model.load_checkpoint(path)


def test_what_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"ends in \.safetensors, got 'w\.h5'"):
        network().save_weights("w.h5")
    with pytest.raises(InvalidArgument, match=r"\[save_weights\] expected a built model"):
        nn.Sequential([nn.Dense(2)]).save_weights(tmp_path / "w.safetensors")
    with pytest.raises(InvalidArgument, match="compile"):
        nn.Sequential([nn.Input((2,)), nn.Dense(2)]).save_checkpoint(tmp_path / "w.safetensors")


def test_an_old_checkpoint_is_still_taken() -> None:
    from golden.make_checkpoint import PATH
    from golden.make_checkpoint import ROWS as OLD_ROWS
    from golden.make_checkpoint import listeners as old_listeners
    from golden.make_checkpoint import network as old_network

    model = old_network()
    first = model.load_checkpoint(PATH)
    assert (first, model.optimizer.iterations) == (3, 12)
    tensors, _ = _safetensors.read(PATH)
    for each in model.weights:
        np.testing.assert_array_equal(each.numpy(), tensors[f"weights/{each.path}"])
    history = model.fit(
        OLD_ROWS,
        OLD_ROWS[:, :1],
        epochs=4,
        initial_epoch=first,
        batch_size=5,
        verbose=0,
        callbacks=old_listeners(),
    )
    assert history.epoch == [0, 1, 2, 3]
