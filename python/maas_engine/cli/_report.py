"""How results look: rich tables, or JSON; and progress on standard error while a terminal watches."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from maas_engine.cli import printable


def show(
    result: dict[str, Any], tables: Callable[[dict[str, Any]], Iterator[Table]], *, as_json: bool
) -> None:
    """Print a command's result."""
    if as_json:
        print(json.dumps(finite(result), indent=2))
        return
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 110)  # a pipe must not cut the figures
    for table in tables(result):
        console.print(table)


def finite(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Steps:
    """Names the step that is running, with the time it takes."""

    def __init__(self, bar: Progress) -> None:
        self.bar = bar

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        task = self.bar.add_task(what, total=1)
        yield
        self.bar.update(task, completed=1)


@contextmanager
def progress() -> Iterator[Steps]:
    """Progress lines that vanish when done; nothing where standard error is no terminal."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Steps(bar)


class PlainTable(Table):
    """A table whose texts, which users wrote, are shown as they are: no markup, nothing a terminal obeys."""

    def __init__(self, title: str | None = None, caption: str | None = None, **options: Any) -> None:
        # As wide as its title, which then stays on one line.
        super().__init__(min_width=min(len(title or ""), 76), **options)
        self.title = None if title is None else Text(printable(title))
        self.caption = None if caption is None else Text(printable(caption))

    def add_column(self, header: Any = "", *arguments: Any, **options: Any) -> None:
        super().add_column(_cell(header), *arguments, **options)

    def add_row(self, *cells: Any, **options: Any) -> None:
        super().add_row(*map(_cell, cells), **options)


def _cell(value: Any) -> Any:
    return Text(printable(value)) if isinstance(value, str) else value


def number(value: float) -> str:
    return f"{value:.4f}" if value == 0 or 0.001 <= abs(value) < 1000 else f"{value:.4g}"


def plain(value: Any) -> str:
    """Text as it is, yes or no, and JSON for the rest."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _intervals(title: str, found: dict[str, Any], confidence: float) -> Table:
    table = PlainTable(title)
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column(f"{confidence:.0%} interval", justify="right")
    for name, item in found.items():
        table.add_row(name, number(item["value"]), f"{number(item['low'])} – {number(item['high'])}")
    return table


def training(result: dict[str, Any]) -> Iterator[Table]:
    """Folds, then the rows held out."""
    model = f"{result['model']} for {result['target']}"
    if result["cross_validation"] is not None:
        scores = result["cross_validation"]["scores"]
        folds = PlainTable(
            f"{model}: {result['cross_validation']['folds']} folds of {result['rows']['train']} rows"
        )
        folds.add_column("fold")
        for name in scores:
            folds.add_column(name, justify="right")
        for fold, values in enumerate(zip(*scores.values(), strict=True), 1):
            folds.add_row(str(fold), *map(number, values))
        folds.add_section()
        folds.add_row("mean", *(number(statistics.mean(values)) for values in scores.values()))
        folds.add_row("deviation", *(number(statistics.pstdev(values)) for values in scores.values()))
        yield folds
    table = _intervals(
        f"{model}: {result['rows']['test']} rows held out", result["hold_out"], result["confidence"]
    )
    table.caption = ", ".join(f"{name} {value:.3f} s" for name, value in result["seconds"].items())
    yield table


def evaluation(result: dict[str, Any]) -> Iterator[Table]:
    """One table of intervals."""
    title = f"{result['prediction']} against {result['target']}: {result['rows']} rows"
    yield _intervals(title, result["metrics"], result["confidence"])


def facts(result: dict[str, Any]) -> Iterator[Table]:
    """Names and values."""
    table = PlainTable(show_header=False)
    for name, value in result.items():
        if isinstance(value, dict):
            for inner, item in value.items():
                table.add_row(inner, "not installed" if item is None else plain(item))
        else:
            separator = "\n" if isinstance(value, list) and any(" " in str(item) for item in value) else ", "
            text = separator.join(map(str, value)) if isinstance(value, list) else plain(value)
            table.add_row(name, "none" if value is None else text)
    yield table


def comparison(result: dict[str, Any]) -> Iterator[Table]:
    """One row an output."""
    table = PlainTable(f"against {result['against']}: {result['rows']} rows")
    table.add_column("output")
    for column in ("largest distance", "relative", "different labels", "within tolerance"):
        table.add_column(column, justify="right")
    for name, item in result["outputs"].items():
        distance = [
            f"{item[key]:.3g}" if key in item else "" for key in ("largest_absolute", "largest_relative")
        ]
        table.add_row(name, *distance, str(item.get("different", "")), "yes" if item["same"] else "NO")
    yield table


def benchmark(result: dict[str, Any]) -> Iterator[Table]:
    """One row an estimator."""
    table = PlainTable(f"{result['rows']} rows × {result['columns']} columns, {result['threads']} threads")
    table.caption = f"median of {result['repeat']} fits; scikit-learn {result['scikit-learn']}, its defaults"
    table.add_column("model")
    for column in ("ours, ms", "scikit-learn, ms", "faster", "our score", "its score"):
        table.add_column(column, justify="right")
    for row in result["results"]:
        table.add_row(
            row["model"],
            f"{1e3 * row['seconds']:.2f}",
            f"{1e3 * row['sklearn_seconds']:.2f}",
            f"{row['times_faster']:.1f} ×",
            f"{row['score']:.5f}",
            f"{row['sklearn_score']:.5f}",
        )
    yield table
