"""The picture of ``train --plot``: the loss of each epoch, and the score of rows held out where there are any."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from maas_engine.cli._networks import MLPRegressor, has_epochs
from maas_engine.errors import InvalidArgument, Unsupported
from maas_engine.nn.callbacks import History

FORMATS = (".svg", ".png", ".pdf")


def check(file: str, model: Any) -> None:
    """Raise before anything is trained where the picture could not be drawn."""
    path = Path(file)
    if path.suffix.lower() not in FORMATS:
        raise InvalidArgument(f"--plot expects a file .svg, .png or .pdf, got {file!r}")
    if not path.resolve().parent.is_dir():
        raise InvalidArgument(f"--plot: no such folder: {path.resolve().parent}")
    if not has_epochs(model):
        name = type(model).__name__
        raise InvalidArgument(
            f"--plot draws the loss of each epoch, and {name} has none: use --model mlp (solver adam, sgd, ...)"
        )
    if find_spec("matplotlib") is None:
        raise Unsupported("--plot needs matplotlib: install it with pip install 'maas_engine[plot]'")


def draw(file: str, model: Any, title: str, score: str) -> None:
    """Draw what a fitted network says of its epochs.

    Parameters
    ----------
    file : its ending is the format
    title : of the picture
    score : what ``validation_scores_`` are
    """
    history = History()
    history.epoch = list(range(len(model.loss_curve_)))
    history.history = {"loss": list(model.loss_curve_)}
    scores = getattr(model, "validation_scores_", None)
    if scores is not None:
        history.history[f"val_{score}"] = list(scores)
    scaled = isinstance(model, MLPRegressor) and model.loss != "poisson"
    figure = history.plot()
    figure.suptitle(title)
    for axes in figure.axes:
        axes.set_ylabel(
            "loss, target in standard deviations" if axes is figure.axes[0] and scaled else axes.get_title()
        )
        axes.set_title("")
        axes.legend(frameon=False)
    figure.savefig(file, dpi=150)
