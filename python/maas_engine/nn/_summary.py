"""The table that ``model.summary()`` prints, laid out as Keras's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maas_engine.nn._variable import Variable
from maas_engine.nn.layers import Layer

_TITLES = ("Layer (type)", "Output Shape", "Param #")
# Characters between the bars, of a table of the default width.
_WIDTHS = (33, 24, 15)
_WIDTHS_TRAINABLE = (29, 22, 14, 11)
_LINE = 76


def summary(name: str, layers: Sequence[Layer], line_length: int | None, show_trainable: bool) -> str:
    """Return the table of a model's layers, their output shapes and parameters, and the totals.

    Parameters
    ----------
    line_length : int, optional
        Characters a line, about; default 76.
    show_trainable : bool
        Whether to add a column that says which layers are trained.
    """
    titles = _TITLES + (("Trainable",) if show_trainable else ())
    rows = [_row(layer, show_trainable) for layer in layers]
    widths = _widths(line_length or _LINE, show_trainable)
    weights = [each for layer in layers for each in layer.weights]
    trained = [each for layer in layers for each in layer.trainable_weights]
    others = [each for layer in layers for each in layer.non_trainable_weights]
    lines = [f'Model: "{name}"', *_table(titles, rows, widths)]
    lines += [
        f" Total params: {_total(weights)}",
        f" Trainable params: {_total(trained)}",
        f" Non-trainable params: {_total(others)}",
    ]
    return "\n".join(lines)


def _row(layer: Layer, show_trainable: bool) -> tuple[str, ...]:
    shape = str(layer.output_shape) if layer.built else "?"
    count = sum(each.size for each in layer.weights)
    unbuilt = not layer.built and type(layer)._build is not Layer._build
    cells = (
        f"{layer.name} ({type(layer).__name__})",
        shape,
        f"{count:,}" + (" (unbuilt)" if unbuilt else ""),
    )
    if not show_trainable:
        return cells
    return (*cells, ("Y" if layer.trainable else "N") if layer.weights else "-")


def _widths(line: int, show_trainable: bool) -> list[int]:
    widths = _WIDTHS_TRAINABLE if show_trainable else _WIDTHS
    return [max(8, width * line // _LINE) for width in widths]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    lines = ["┏" + "┳".join("━" * width for width in widths) + "┓"]
    lines += _cells(titles, widths, "┃")
    lines.append("┡" + "╇".join("━" * width for width in widths) + "┩")
    rule = "├" + "┼".join("─" * width for width in widths) + "┤"
    for number, row in enumerate(rows):
        lines += [rule] if number else []
        lines += _cells(row, widths, "│")
    lines.append("└" + "┴".join("─" * width for width in widths) + "┘")
    return lines


def _cells(cells: Sequence[str], widths: Sequence[int], bar: str) -> list[str]:
    """One row of cells; what is too long goes on below. The parameters' column is on the right."""
    parts = [_wrapped(cell, width - 2) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, parts))):
        texts = [part[number] if number < len(part) else "" for part in parts]
        fields = [
            f" {text:>{width - 2}} " if place == 2 else f" {text:<{width - 2}} "
            for place, (text, width) in enumerate(zip(texts, widths, strict=True))
        ]
        lines.append(bar + bar.join(fields) + bar)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    lines = []
    while len(text) > width:
        cut = text.rfind(" ", 0, width + 1)
        cut = cut if cut > 0 else width
        lines.append(text[:cut])
        text = text[cut:].lstrip()
    return [*lines, text]


def _total(variables: Sequence[Variable]) -> str:
    count = sum(each.size for each in variables)
    size = float(sum(each.size * np.dtype(each.dtype).itemsize for each in variables))
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{count:,} ({size:.2f} {unit})"
