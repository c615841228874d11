"""History: what it keeps, and the picture it draws."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maas_engine.errors import InvalidArgument
from maas_engine.nn.callbacks import History


def trained(epochs: int = 12, first: int = 0) -> History:
    history = History()
    history.on_train_begin()
    for epoch in range(first, first + epochs):
        logs = {
            "loss": math.exp(-epoch / 4),
            "mae": 1 / (epoch + 1),
            "val_loss": math.exp(-epoch / 5) + 0.05,
            "val_mae": 1.1 / (epoch + 1),
            "learning_rate": 0.1 * 0.5**epoch,
        }
        history.on_epoch_end(epoch, logs)
    return history


def test_history_keeps_every_epoch() -> None:
    history = trained(3, first=5)
    assert history.epoch == [5, 6, 7]
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae", "learning_rate"]
    assert history.history["learning_rate"] == [0.1 * 0.5**epoch for epoch in (5, 6, 7)]
    assert "History of 3 epochs, loss: 0.1738" in repr(history)
    history.on_train_begin()
    assert history.epoch == []
    assert history.history == {}


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_plot_saves(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"curve.{suffix}"
    figure = trained().plot(path)
    assert path.stat().st_size > 5000
    assert [axes.get_title() for axes in figure.axes] == ["loss", "mae", "learning rate"]


def test_plot_draws_the_numbers() -> None:
    pytest.importorskip("matplotlib")
    history = trained(4, first=2)
    figure = history.plot(metrics=["mae"])
    (axes,) = figure.axes
    curves: dict[Any, Any] = {line.get_label(): line for line in axes.get_lines()}
    assert list(curves["training"].get_xdata()) == [3, 4, 5, 6]
    assert list(curves["training"].get_ydata()) == history.history["mae"]
    assert list(curves["validation"].get_ydata()) == history.history["val_mae"]
    assert axes.get_legend() is not None


def test_plot_puts_values_at_their_epochs() -> None:
    pytest.importorskip("matplotlib")
    history = History()
    history.on_train_begin()
    for epoch in range(6):
        history.on_epoch_end(epoch, {"loss": 1.0, **({"val_loss": 2.0} if epoch % 3 == 1 else {})})
    resumed = History()
    resumed.on_train_begin()
    resumed.set_state(history.get_state())
    for each in (history, resumed):
        training, validation = each.plot().axes[0].lines
        assert list(training.get_xdata()) == [1, 2, 3, 4, 5, 6]
        assert list(validation.get_xdata()) == [2, 5]


def test_plot_refuses() -> None:
    with pytest.raises(InvalidArgument, match="one epoch at least"):
        History().plot()
    with pytest.raises(InvalidArgument, match="metrics of loss, mae, learning_rate, got 'auc'"):
        trained().plot(metrics=["auc"])
    with pytest.raises(InvalidArgument, match="at least, got none"):
        trained().plot(metrics=[])


def test_plot_with_nan_and_one_epoch() -> None:
    pytest.importorskip("matplotlib")
    history = History()
    history.on_epoch_end(0, {"loss": math.nan})
    history.plot()
    trained(1).plot()


def test_matplotlib_is_loaded_when_drawing_only() -> None:
    code = (
        "import sys\nfrom maas_engine.nn.callbacks import History\n"
        "assert 'matplotlib' not in sys.modules\nsys.modules['matplotlib'] = None\n"
        "history = History(); history.on_epoch_end(0, {'loss': 1.0})\n"
        "try: history.plot()\nexcept ImportError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "History.plot draws with matplotlib: pip install 'maas_engine[plot]'\n"
