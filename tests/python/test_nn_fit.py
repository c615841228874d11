"""Training a Sequential: what fit, evaluate and train_on_batch do, with callbacks and mishaps."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_networks import CLASSES, X, Y, classifier, regressor, same_weights

import maas_engine
from maas_engine import nn
from maas_engine.errors import InvalidArgument, NotFinite, Unsupported
from maas_engine.nn import Sequential, callbacks, layers, optimizers


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


def test_control_c_keeps_whole_steps() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.random((20_000, 64), "f4"), rng.random(20_000)

    def make() -> Sequential:
        nn.set_random_seed(1)
        model = Sequential([nn.Input((64,)), *(nn.Dense(512, "relu") for _ in range(2)), nn.Dense(1)])
        model.compile("adam", "mse")
        return model

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    model, other = make(), make()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, epochs=100, shuffle=False, verbose=0)
    finally:
        signal.signal(signal.SIGALRM, before)
    epochs, steps = divmod(model.optimizer.iterations, 625)
    other.fit(x, y, epochs=epochs, shuffle=False, verbose=0)
    if steps:
        other.fit(x[: steps * 32], y[: steps * 32], shuffle=False, verbose=0)
    assert same_weights(model, other)


@pytest.mark.parametrize("shuffle", [True, False])
def test_steps_per_epoch_are_the_first_batches(shuffle: bool) -> None:
    model, other = regressor(), regressor()
    model.fit(X, Y, epochs=2, steps_per_epoch=3, shuffle=shuffle, verbose=0)
    assert model.optimizer.iterations == 6
    if not shuffle:
        other.fit(X[:96], Y[:96], epochs=2, shuffle=False, verbose=0)
        assert same_weights(model, other)


def test_optimizer_state_stays_with_its_weights() -> None:
    optimizer = optimizers.Adam(0.01)
    model, other = regressor(optimizer), regressor(optimizers.Adam(0.01))
    for each in (model, other):
        each.fit(X, Y, shuffle=False, verbose=0)
    model.compile(optimizer, "mse")  # the same one goes on
    for each in (model, other):
        each.fit(X, Y, shuffle=False, verbose=0)
    assert same_weights(model, other)
    model.layers[0].trainable = False
    model.compile(optimizer, "mse")
    model.fit(X, Y, verbose=0)
    assert [len(slots) for slots in model._session.slots().values()] == [2, 2]


def test_threads_do_not_matter() -> None:
    def train(threads: int) -> Sequential:
        nn.set_random_seed(9)
        model = Sequential(
            [
                nn.Input((6,)),
                nn.Dense(300, "relu"),
                nn.BatchNormalization(),
                nn.Dropout(0.3),
                nn.Dense(200),
                nn.Dense(1),
            ]
        )
        model.compile("rmsprop", "mse")
        with maas_engine.num_threads(threads):
            model.fit(np.tile(X, (5, 1)), np.tile(Y, 5), batch_size=256, epochs=2, verbose=0)
        return model

    assert same_weights(*(train(threads) for threads in (1, 2, 4)))


def test_an_optimizer_starts_afresh_with_another_model() -> None:
    used = nn.optimizers.Adam(0.01)
    losses = []
    for optimizer in (used, used, nn.optimizers.Adam(0.01)):
        nn.set_random_seed(4)
        model = nn.Sequential([nn.Input((3,)), nn.Dense(4, activation="relu"), nn.Dense(1)])
        model.compile(optimizer, "mse")
        x = np.linspace(-1, 1, 90).reshape(30, 3)
        losses.append(model.fit(x, x[:, :1], epochs=3, verbose=0).history["loss"])
        assert optimizer.iterations == 3
        model.compile(optimizer, "mae")  # the same one goes on
        model.fit(x, x[:, :1], epochs=1, verbose=0)
        assert optimizer.iterations == 4
    assert losses[0] == losses[1] == losses[2]
