"""The commands ``registry promote``, ``protect`` and ``unprotect``: gates by their options."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from maas_engine.cli import fail
from maas_engine.cli._options import (
    Delimiter,
    Drop,
    Encoding,
    Format,
    Json,
    PublicKey,
    Reason,
    RegistryPlace,
    Store,
    number,
    open_registry,
    read,
    without,
)
from maas_engine.cli._registry import Ref
from maas_engine.cli._registry_changes import AliasRef, app  # with all commands but these
from maas_engine.cli._registry_facts import find, parse_alias
from maas_engine.errors import InvalidArgument

__all__ = ["app"]

SHORT = {"rmse": "root_mean_squared_error", "mae": "mean_absolute_error"}  # as train prints them


Metrics = Annotated[
    list[str] | None,
    typer.Option(
        metavar="'NAME >= NUMBER'", help="Gate: the version's metric; >, <, <= too; may be repeated"
    ),
]


@app.command()
def promote(
    ref: Ref,
    alias: Annotated[str, typer.Argument(metavar="[ALIAS]")] = "champion",
    metric: Metrics = None,
    better: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC", help="Gate: better than the alias's version on --data", show_default=False
        ),
    ] = None,
    signed: Annotated[
        bool, typer.Option("--signed", help="Gate: a signature by the key of --public-key")
    ] = False,
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help="Hold-out table that neither was trained on")
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COL", help="Its column with the truth")] = None,
    confidence: Annotated[float, typer.Option(help="Of the paired bootstrap test of one side")] = 0.95,
    margin: Annotated[float, typer.Option(help="By how much better, in the metric's unit")] = 0.0,
    drop: Drop = None,
    format: Format = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    public_key: PublicKey = None,
    reason: Reason = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Point an alias to a version where every gate holds; else the alias stays, and exit status 1."""
    from maas_engine.cli import _registry_tables, _report
    from maas_engine.registry import GateFailed

    if (better is None) != (data is None) or (better is None) != (target is None):
        raise InvalidArgument("--better METRIC, --data TABLE and --target COL go together")
    gates = _gates(metric, signed)
    with _report.progress() as steps, open_registry(registry, store, public_key) as opened:
        version = find(opened, ref)
        if not gates and better is None and alias not in opened.protections(version.name):
            raise InvalidArgument("expected a gate: --metric, --better or --signed (alias moves without one)")
        if better is not None and data is not None and target is not None:
            table = without(read(data, format, encoding, delimiter, steps), drop)
            model = opened.load(version.uri)
            gates.append(_better(better, model, table, target, confidence, margin, data))
        with steps.step("asking the gates"):
            try:
                found = opened.promote(version.name, version.version, alias, gates=gates, reason=reason)
            except GateFailed as error:
                found = error.promotion
    _report.show(found.to_dict(), _registry_tables.promotion, as_json=json)
    if found.failed:
        failed = "; ".join(f"{each.gate} (found {each.found})" for each in found.failed)
        fail(f"{version.uri} is not promoted to {alias!r}: gate failed: {failed}", 1)


@app.command()
def protect(
    ref: AliasRef,
    metric: Metrics = None,
    signed: Annotated[
        bool, typer.Option("--signed", help="Gate: a signature by the key of --public-key")
    ] = False,
    reason: Reason = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Let nothing but promote move an alias, and have it ask these gates each time."""
    from maas_engine.cli import _report

    name, alias = parse_alias(ref)
    gates = _gates(metric, signed)
    if not gates:
        raise InvalidArgument("expected a gate: --metric or --signed")
    with open_registry(registry, store) as opened:
        opened.protect_alias(name, alias, gates, reason=reason)
    _report.show(
        {"name": name, "alias": alias, "gates": [str(each) for each in gates]}, _report.facts, as_json=json
    )


@app.command()
def unprotect(
    ref: AliasRef,
    reason: Reason = "",
    registry: RegistryPlace = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Let alias and delete move an alias again."""
    from maas_engine.cli import _report

    name, alias = parse_alias(ref)
    with open_registry(registry, store) as opened:
        opened.unprotect_alias(name, alias, reason=reason)
    _report.show({"name": name, "alias": alias, "gates": []}, _report.facts, as_json=json)


def _gates(metric: list[str] | None, signed: bool) -> list[Any]:
    from maas_engine.registry import Signed

    return [_threshold(each) for each in metric or []] + [Signed()] * signed


def _threshold(text: str) -> Any:
    from maas_engine.registry import MetricThreshold

    found = re.fullmatch(r"\s*(\S.*?)\s*(>=|<=|>|<)\s*(\S+)\s*", text)
    if not found:
        raise InvalidArgument(f"--metric expects 'NAME >= NUMBER' (also >, <, <=), got {text!r}")
    return MetricThreshold(found[1], found[2], number(f"--metric {found[1]}", found[3]))


def _better(
    metric: str, model: Any, table: Any, target: str, confidence: float, margin: float, data: str
) -> Any:
    """The gate on a table's rows, whose columns become what the model takes."""
    from maas_engine import metrics
    from maas_engine.cli._columns import columns
    from maas_engine.data import dataset
    from maas_engine.registry import BetterThanChampion

    name = SHORT.get(metric, metric)
    if name not in metrics.__all__ and f"{name}_score" in metrics.__all__:
        name = f"{name}_score"
    y = dataset(table, target).y
    X = columns(model, table.drop_columns([target]))
    name_of_data = "standard input" if data == "-" else Path(data).name
    return BetterThanChampion(name, X, y, confidence, margin, name_of_data)
