"""What every epoch gave, and a picture of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.nn.callbacks._base import Callback, Logs
from maas_engine.nn.callbacks._state import numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLES = {"loss": "loss", "learning_rate": "learning rate"}


class History(Callback):
    """Keeps the logs of every epoch; ``fit`` returns it.

    Attributes
    ----------
    history : dict of str to list of float, a value an epoch
    epoch : list of int, from 0
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}
        self._epochs: dict[str, list[int]] = {}  # of each value: validation may skip some

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        model.history = self

    def get_state(self) -> dict[str, Any]:
        rows = {name: list(row) for name, row in self.history.items()}
        return {"epoch": list(self.epoch), "history": rows, "epochs": self._epochs}

    def set_state(self, state: dict[str, Any]) -> None:
        rows = state.get("history")
        if not isinstance(rows, dict):
            raise FormatError(f"[callbacks] expected a history by names, got {rows!r:.60}")
        self.epoch = [int(epoch) for epoch in numbers(state.get("epoch"), "epoch")]
        self.history = {name: numbers(row, name) for name, row in rows.items()}
        epochs = state.get("epochs", {})
        if not isinstance(epochs, dict):
            raise FormatError(f"[callbacks] expected epochs by names, got {epochs!r:.60}")
        self._epochs = {name: [int(epoch) for epoch in numbers(row, name)] for name, row in epochs.items()}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch, self.history, self._epochs = [], {}, {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}: {row[-1]:.4g}" for name, row in self.history.items() if row)
        return f"<History of {len(self.epoch)} epochs{', ' + last if last else ''}>"

    def plot(
        self, path: str | os.PathLike[str] | None = None, metrics: Sequence[str] | None = None
    ) -> Figure:
        """Draw the curves of training and validation, one panel a metric.

        Parameters
        ----------
        path : path, or None
            Where the picture is saved: .svg, .png, .pdf.
        metrics : list of str, or None
            Keys of ``history`` without "val_"; None: all of them.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InvalidArgument : no epochs, or no such metric.
        ImportError : matplotlib is not installed.
        """
        names = self._panels(metrics)
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError("History.plot draws with matplotlib: pip install 'maas_engine[plot]'") from None
        columns = 2 if len(names) == 4 else min(len(names), 3)
        rows = -(-len(names) // columns)
        figure = Figure(figsize=(4.2 * columns + 0.6, 3.2 * rows), layout="constrained")
        for place, name in enumerate(names):
            self._draw(figure.add_subplot(rows, columns, place + 1), name)
        if path is not None:
            figure.savefig(os.fspath(path), dpi=150)
        return figure

    def _panels(self, metrics: Sequence[str] | None) -> list[str]:
        there = list(
            dict.fromkeys(name.removeprefix("val_") for name, row in self.history.items() if len(row))
        )
        if not there:
            raise InvalidArgument("[plot] expected a history of one epoch at least, got none")
        if metrics is None:
            return there
        chosen = [metrics] if isinstance(metrics, str) else list(metrics)
        for name in chosen:
            if name not in there:
                raise InvalidArgument(f"[plot] expected metrics of {', '.join(there)}, got {name!r}")
        if not chosen:
            raise InvalidArgument(f"[plot] expected one of {', '.join(there)} at least, got none")
        return chosen

    def _draw(self, axes: Any, name: str) -> None:
        curves = ((name, "training", "#1f6f8b", 3), ("val_" + name, "validation", "#e07a1f", 2))
        for key, label, colour, layer in curves:
            values = self.history.get(key)
            if not values:
                continue
            places = self._epochs.get(key, [])
            if len(places) != len(values):  # put together by hand, say: they end with the last epoch
                places = self.epoch
            epochs = [epoch + 1 for epoch in places[-len(values) :]]
            style = {"marker": "o" if len(values) <= 30 else None, "markersize": 3}
            if name == "learning_rate":  # one number for a whole epoch
                style["drawstyle"] = "steps-mid"
            axes.plot(epochs, values, color=colour, label=label, zorder=layer, **style)
        axes.set_title(_TITLES.get(name, name.replace("_", " ")), fontsize=11)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        values = [value for key in (name, "val_" + name) for value in self.history.get(key, [])]
        if _spans(values, 10 if name == "learning_rate" else 100):
            axes.set_yscale("log")
        if "val_" + name in self.history:
            axes.legend(frameon=False)


def _spans(values: list[float], factor: float) -> bool:
    """Whether positive numbers differ so much that only a logarithmic axis shows them all."""
    positive = [value for value in values if 0 < value < float("inf")]
    return len(positive) == len(values) and max(positive) > factor * min(positive)
