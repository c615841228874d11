"""Callbacks on a stand-in of a model: they do what Keras's were recorded to do, and write whole files."""

from __future__ import annotations

import copy
import csv
import errno
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn import callbacks, optimizers

RECORD = json.loads((Path(__file__).parents[1] / "golden" / "keras_callbacks.json").read_text())


class StandIn:
    """A model as far as callbacks use one; its weights are the number of the epoch."""

    def __init__(self, learning_rate: Any = 1.0) -> None:
        self.stop_training = False
        self.optimizer = optimizers.SGD(learning_rate)
        self.weights: Any = 0
        self.saved: list[tuple[str, str]] = []
        self.history: Any = None

    def get_weights(self) -> Any:
        return self.weights

    def set_weights(self, weights: Any) -> None:
        self.weights = weights

    def save(self, path: str) -> None:
        self.saved.append(("model", path))

    def save_weights(self, path: str) -> None:
        self.saved.append(("weights", path))

    def save_checkpoint(self, path: str, *, epoch: int | None = None) -> None:
        self.saved.append((f"checkpoint {epoch}", path))


def play(callback: Any, logs: list[dict[str, float]], model: StandIn | None = None) -> list[float]:
    """Train for those logs; returns the learning rate after each epoch done."""
    model = StandIn() if model is None else model
    everyone = callbacks.CallbackList(callback, model=model, verbose=0, epochs=len(logs), steps=1)
    everyone.on_train_begin()
    rates = []
    for epoch, values in enumerate(logs):
        model.weights = epoch
        everyone.on_epoch_begin(epoch)
        everyone.on_epoch_end(epoch, dict(values))
        rates.append(model.optimizer.learning_rate)
        if model.stop_training:
            break
    everyone.on_train_end()
    return rates


@pytest.mark.parametrize("kind", ["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"])
def test_as_keras_was_recorded(kind: str) -> None:
    runs = [run for run in RECORD["runs"] if run["kind"] == kind]
    assert len(runs) >= 8
    for run in runs:
        options = dict(run["options"])
        if kind == "ModelCheckpoint":
            options["filepath"] = options["filepath"].replace(".keras", ".onnx")
        model = StandIn()
        logs = [{"loss": value, "accuracy": 1 - value} for value in run["values"]]
        rates = play(getattr(callbacks, kind)(**options), logs, model)
        assert len(rates) == run["epochs"], run
        assert rates == pytest.approx(run["rates"], rel=1e-6), run
        assert model.weights == run["weights"], run
        assert [path.replace(".onnx", ".keras") for _, path in model.saved] == run["saved"], run


def losses(*values: float) -> list[dict[str, float]]:
    return [{"loss": value} for value in values]


def test_early_stopping_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    model = StandIn()
    stopping = callbacks.EarlyStopping("loss", patience=2, restore_best_weights=True, verbose=1)
    play(stopping, losses(3, 2, 4, 5, 6, 7), model)
    assert (stopping.stopped_epoch, stopping.best_epoch, stopping.best, model.weights) == (3, 1, 2, 1)
    assert capsys.readouterr().out == (
        "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )


def test_a_value_that_is_missing_warns() -> None:
    with pytest.warns(UserWarning, match="EarlyStopping watches 'val_loss', which is not.*there is: loss"):
        play(callbacks.EarlyStopping(), losses(1, 2))


@pytest.mark.parametrize("name", ["val_accuracy", "acc", "sparse_categorical_accuracy", "val_auc"])
def test_mode_follows_from_the_name(name: str) -> None:
    assert callbacks.EarlyStopping(name).maximises
    assert not callbacks.EarlyStopping(name, mode="min").maximises
    assert not callbacks.EarlyStopping("val_loss").maximises


def test_nan_is_never_better() -> None:
    stopping = callbacks.EarlyStopping("loss", patience=2)
    assert len(play(stopping, losses(1, math.nan, math.nan, 0.5))) == 3
    reduce = callbacks.ReduceLROnPlateau("loss", patience=1)
    assert play(reduce, losses(1, math.nan, 0.5)) == pytest.approx([1, 0.1, 0.1])


def test_learning_rate_scheduler(capsys: pytest.CaptureFixture[str]) -> None:
    logs: list[dict[str, float]] = []
    see = callbacks.LambdaCallback(on_epoch_end=lambda _, values: logs.append(dict(values or {})))
    by_epoch = callbacks.LearningRateScheduler(lambda epoch: 1 / (epoch + 1), verbose=1)
    assert play([by_epoch, see], losses(1, 1)) == [1.0, 0.5]
    assert [values["learning_rate"] for values in logs] == [1.0, 0.5]
    assert "Epoch 2: LearningRateScheduler setting learning rate to 0.5." in capsys.readouterr().out
    halving = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    assert play(halving, losses(1, 1, 1)) == [0.5, 0.25, 0.125]
    with pytest.raises(InvalidArgument, match="return a number, got None"):
        play(callbacks.LearningRateScheduler(lambda epoch: None), losses(1))  # type: ignore[arg-type,return-value]
    scheduled = StandIn(optimizers.schedules.CosineDecay(0.1, 10))
    for callback in (halving, callbacks.ReduceLROnPlateau("loss")):
        with pytest.raises(Unsupported, match="optimizer follows CosineDecay"):
            play(callback, losses(1), scheduled)


def test_reduce_on_plateau_writes_the_rate_of_the_epoch_done() -> None:
    history = callbacks.History()
    play([callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1), history], losses(1, 1, 1))
    assert history.history["learning_rate"] == [1.0, 1.0, 0.5]


def test_stop_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(play(callbacks.StopBelow(0.5, verbose=1), losses(1, 0.5, 0.4, 0.1))) == 3
    assert capsys.readouterr().out == "Epoch 3: loss 0.4 is below 0.5: stopping\n"
    with pytest.warns(UserWarning, match="StopBelow watches 'val_mae'"):
        play(callbacks.StopBelow(0.5, "val_mae"), losses(1))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_terminate_on_nan(bad: float) -> None:
    assert len(play(callbacks.TerminateOnNaN(), losses(1, bad, 1))) == 2


@pytest.mark.parametrize(
    ("options", "suffix", "what"),
    [
        ({}, "onnx", "model"),
        ({"save_weights_only": True}, "safetensors", "weights"),
        ({"save_checkpoint": True}, "safetensors", "checkpoint 2"),
    ],
)
def test_model_checkpoint_saves(
    options: dict[str, bool], suffix: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = StandIn()
    path = "m{epoch:03d}-{loss:.1f}." + suffix
    play(
        callbacks.ModelCheckpoint(path, "loss", verbose=1, save_best_only=True, **options),
        losses(3, 2, 4),
        model,
    )
    assert model.saved[-1] == (what, f"m002-2.0.{suffix}")
    assert capsys.readouterr().out.endswith(
        f"Epoch 2: loss improved from 3.00000 to 2.00000, saving to m002-2.0.{suffix}\n"
    )


def test_model_checkpoint_refuses() -> None:
    with pytest.raises(InvalidArgument, match=r"end in \.onnx, got 'm\.keras'"):
        callbacks.ModelCheckpoint("m.keras")
    with pytest.raises(InvalidArgument, match=r"end in \.safetensors"):
        callbacks.ModelCheckpoint("m.weights.h5", save_weights_only=True)
    with pytest.raises(Unsupported, match="save_freq=100"):
        callbacks.ModelCheckpoint("m.onnx", save_freq=100)
    with pytest.raises(InvalidArgument, match=r"fields of epoch, loss in filepath, got '\{val_mae"):
        play(callbacks.ModelCheckpoint("{val_mae:.2f}.onnx"), losses(1))


def test_checkpoints_see_the_state_after_the_whole_epoch() -> None:
    seen = []

    class Model(StandIn):
        def save_checkpoint(self, path: str, *, epoch: int | None = None) -> None:
            seen.append(stopping.get_state()["wait"])

    stopping = callbacks.EarlyStopping("loss", patience=5)
    play(
        [callbacks.ModelCheckpoint("c.safetensors", save_checkpoint=True), stopping], losses(1, 2, 3), Model()
    )
    assert seen == [0, 1, 2]


def table(path: Path, separator: str = ",") -> list[list[str]]:
    return list(csv.reader(path.read_text().splitlines(), delimiter=separator))


def test_csv_logger(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("something old\n")
    play(callbacks.CSVLogger(path), [{"loss": 0.1, "mae": 1 / 3}, {"loss": 2.0}])
    assert table(path) == [["epoch", "loss", "mae"], ["0", "0.1", repr(1 / 3)], ["1", "2.0", "NA"]]
    play(callbacks.CSVLogger(path, append=True), losses(7))
    assert table(path)[3:] == [["0", "7", "NA"]]
    play(callbacks.CSVLogger(tmp_path / "new.csv", separator=";", append=True), losses(7))
    assert table(tmp_path / "new.csv", ";") == [["epoch", "loss"], ["0", "7"]]
    with pytest.raises(InvalidArgument, match="one character"):
        callbacks.CSVLogger(path, separator="--")


def test_csv_logger_goes_on_with_its_file_only(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path)
    play(logger, losses(1, 2))
    state, whole = logger.get_state(), path.read_text()

    def resumed(content: str, append: bool) -> str:
        path.write_text(content)
        second = callbacks.CSVLogger(path, append=append)
        second.on_train_begin()
        second.set_state(state)
        second.on_epoch_end(2, {"loss": 3})
        return path.read_text()

    for append in (False, True):
        assert resumed(whole + "2,7\n3,8\n", append) == whole + "2,3\n"
        assert resumed(whole, append) == whole + "2,3\n"
    other = "epoch,loss\n0,1\n1,2\nnotes of mine\n"
    assert resumed(other, append=True) == other + "2,3\n"
    assert resumed("epoch,loss\n", append=True) == "epoch,loss\n2,3\n"


def test_csv_logger_takes_back_half_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path)
    play(logger, losses(1))
    before = path.read_text()

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            if len(data) > 3:
                return super().write(data[:3])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", lambda name, mode, **_: Full(name, mode))
    with pytest.raises(OSError, match="No space left"):
        logger.on_epoch_end(1, {"loss": 0.5})
    monkeypatch.undo()
    assert path.read_text() == before


def test_lambda_callback_and_order() -> None:
    heard: list[str] = []
    given = {
        name: (lambda *_, name=name: heard.append(name))
        for name in ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end", "on_test_end")
    }
    play(callbacks.LambdaCallback(**given), losses(1))  # type: ignore[arg-type]
    assert heard == ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"]
    with pytest.raises(InvalidArgument, match="on_epoch_finish"):
        callbacks.LambdaCallback(on_epoch_finish=print)
    with pytest.raises(InvalidArgument, match="to be a function"):
        callbacks.LambdaCallback(on_epoch_end=1)  # type: ignore[arg-type]


def test_who_needs_every_batch() -> None:
    class Watching(callbacks.Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None: ...

    assert not callbacks.CallbackList([callbacks.EarlyStopping()], add_history=True).needs_batches
    assert callbacks.CallbackList([Watching()]).needs_batches
    assert callbacks.CallbackList(callbacks.LambdaCallback(on_train_batch_end=print)).needs_batches
    assert not callbacks.CallbackList(callbacks.LambdaCallback(on_epoch_end=print)).needs_batches


def test_callback_list_takes_what_keras_takes() -> None:
    one, two = callbacks.EarlyStopping(), callbacks.TerminateOnNaN()
    assert callbacks.CallbackList([one, [two]]).callbacks == [one, two]
    assert callbacks.CallbackList(callbacks.CallbackList(one)).callbacks == [one]
    assert callbacks.CallbackList(None, add_history=True).history is not None
    own = callbacks.History()
    assert callbacks.CallbackList([own], add_history=True).callbacks == [own]
    with pytest.raises(InvalidArgument, match="instances of Callback"):
        callbacks.CallbackList([callbacks.History])


def test_states_go_back_to_their_callbacks() -> None:
    names = ("loss", "mae")
    logs = [{"loss": 1 / n, "mae": n / 10} for n in range(1, 7)]

    class Arrays(StandIn):
        def get_weights(self) -> Any:
            return [np.full(2, self.weights)]

        def set_weights(self, weights: Any) -> None:
            self.weights = weights[0][0]

    def make() -> list[Any]:
        stopping = [callbacks.EarlyStopping(name, patience=4, restore_best_weights=True) for name in names]
        return [*stopping, callbacks.ReduceLROnPlateau("mae", patience=2), callbacks.History()]

    whole, first, second = make(), make(), make()
    play(whole, logs, Arrays())
    model = Arrays()
    everyone = callbacks.CallbackList(first, model=model)
    everyone.on_train_begin()
    for epoch in range(3):
        model.weights = epoch
        everyone.on_epoch_end(epoch, dict(logs[epoch]))
    states = copy.deepcopy(everyone.get_states())
    resumed = callbacks.CallbackList(second, model=model)
    resumed.on_train_begin()
    resumed.set_states(states)
    for epoch in range(3, len(logs)):
        model.weights = epoch
        resumed.on_epoch_end(epoch, dict(logs[epoch]))
        if model.stop_training:
            break
    assert str(resumed.get_states()) == str(callbacks.CallbackList(whole).get_states())


def test_a_fit_that_was_stopped_stays_stopped() -> None:
    model, stopping = StandIn(), callbacks.EarlyStopping("loss", patience=1)
    play(stopping, losses(1, 2, 3), model)
    again = StandIn()
    resumed = callbacks.CallbackList(callbacks.EarlyStopping("loss", patience=1), model=again)
    resumed.on_train_begin()
    resumed.set_states([("EarlyStopping", stopping.get_state())])
    assert again.stop_training
