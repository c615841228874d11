"""Turns a run into JSON, a Markdown table and a picture."""

from __future__ import annotations

import importlib.util
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .problems import FITS, SAME, SAME_OTHERWISE

# Shown, but no peer to beat: our own trick written by hand, which no library does for its user.
NOT_A_PEER = {("numpy_", "gram")}
NAMES = {
    "ours": "maas_engine",
    "numpy_": "numpy",
    "sklearn_": "scikit-learn",
    "sklearnex_": "sklearnex",
    "torch_": "torch",
    "jax_": "jax",
    "keras_": "keras",
    "snapml_": "Snap ML",
    "cyanure_": "cyanure",
    "celer_": "celer",
    "skglm_": "skglm",
    "scipy_": "scipy",
    "onnxruntime_": "onnxruntime",
    "openvino_": "openvino",
}


def text(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def label(result: dict[str, Any]) -> str:
    variant = f" {result['variant']}" if result["variant"] else ""
    return NAMES[result["rival"]] + variant


def line(result: dict[str, Any]) -> str:
    """One result for the terminal."""
    head = f"{result['case']:40} {result['threads']}T {label(result):30}"
    if "error" in result:
        return f"{head} failed: {result['error']}"
    return f"{head} {text(statistics.median(result['seconds'])):>9}  objective {result['objective']:.8g}"


@dataclass(frozen=True)
class Entry:
    """One rival's result: median, first and last decile (seconds); whether its answer is the common one."""

    result: dict[str, Any]
    median: float
    low: float
    high: float
    same: bool

    @property
    def ours(self) -> bool:
        return bool(self.result["rival"] == "ours")

    @property
    def peer(self) -> bool:
        by_hand = (self.result["rival"], self.result["variant"]) in NOT_A_PEER
        return self.same and not self.ours and not by_hand


@dataclass(frozen=True)
class Row:
    """Everyone on one case with one thread count."""

    case: str
    threads: int
    floor: float
    entries: list[Entry]

    @property
    def ours(self) -> Entry | None:
        return min((e for e in self.entries if e.ours and e.same), key=lambda e: e.median, default=None)

    @property
    def best_peer(self) -> Entry | None:
        return min((e for e in self.entries if e.peer), key=lambda e: e.median, default=None)


def entry(result: dict[str, Any], least: float) -> Entry:
    kind = result["case"].partition("/")[0]
    allowed = SAME.get(kind, SAME_OTHERWISE) * max(abs(least), 1e-12)
    ordered = sorted(result["seconds"])
    decile = len(ordered) // 10
    same = abs(result["objective"] - least) <= allowed
    return Entry(result, statistics.median(ordered), ordered[decile], ordered[-1 - decile], same)


def common_objective(results: list[dict[str, Any]]) -> float:
    """The least one where a smaller objective is better; else (a metric, a product) the middle one."""
    objectives = [result["objective"] for result in results]
    kind = results[0]["case"].partition("/")[0]
    return min(objectives) if kind in FITS else statistics.median(objectives)


def rows(run: dict[str, Any]) -> Iterator[Row]:
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for result in run["results"]:
        if "error" not in result:
            groups.setdefault((result["case"], result["threads"]), []).append(result)
    for (case, threads), results in groups.items():
        least = common_objective(results)
        floor = run["floors"][f"{case}@{threads}"]
        yield Row(case, threads, floor, sorted((entry(r, least) for r in results), key=lambda e: e.median))


def spread(entry: Entry) -> str:
    mark = "" if entry.same else " ≠"
    return f"{label(entry.result)} {text(entry.median)} ({text(entry.low)}–{text(entry.high)}){mark}"


def over_floor(floor: float, seconds: float) -> str:
    return f"{seconds / floor:.3g}" if floor else "–"


def latency_table(run: dict[str, Any]) -> list[str]:
    lines = [
        "| case | rival | median | p99 | 1 ms apart: median | p99 |",
        "|---|---|---|---|---|---|",
    ]
    for result in run["results"]:
        if "latency" in result:
            times = " | ".join(map(text, result["latency"].values()))
            lines.append(f"| {result['case']} | {label(result)}, {result['threads']}T | {times} |")
    return lines if len(lines) > 2 else []


def first_table(run: dict[str, Any]) -> list[str]:
    lines = [
        "| case | rival | first fit, set-up and compilation included | a later one |",
        "|---|---|---|---|",
    ]
    for result in run["results"]:
        if "first" in result:
            times = f"{text(result['first'])} | {text(statistics.median(result['seconds']))}"
            lines.append(f"| {result['case']} | {label(result)}, {result['threads']}T | {times} |")
    return lines


def summary_table(run: dict[str, Any]) -> list[str]:
    lines = [
        "| case | threads | maas_engine | best peer | times faster | floor | times the floor |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows(run):
        ours, peer = row.ours, row.best_peer
        if ours is None:
            continue
        other, ratio = (
            ("–", "–")
            if peer is None
            else (f"{label(peer.result)} {text(peer.median)}", f"{peer.median / ours.median:.3g}")
        )
        lines.append(
            f"| {row.case} | {row.threads} | {text(ours.median)} | {other} | {ratio} "
            f"| {text(row.floor) if row.floor else '–'} | {over_floor(row.floor, ours.median)} |"
        )
    return lines


def neighbour_table(run: dict[str, Any]) -> list[str]:
    lines = ["| case | rival | quiet | beside a spinning process | slower by |", "|---|---|---|---|---|"]
    for result in run["results"]:
        if "seconds_busy" in result:
            quiet, busy = statistics.median(result["seconds"]), statistics.median(result["seconds_busy"])
            times = f"{text(quiet)} | {text(busy)} | {busy / quiet:.2f}"
            lines.append(f"| {result['case']} | {label(result)} | {times} |")
    return lines


def everyone_table(run: dict[str, Any]) -> list[str]:
    lines = ["| case | threads | median (first–last decile), fastest first |", "|---|---|---|"]
    for row in rows(run):
        lines.append(f"| {row.case} | {row.threads} | {' · '.join(map(spread, row.entries))} |")
    return lines


def heading(run: dict[str, Any]) -> list[str]:
    """When, where, with what: a figure means nothing without them."""
    machine = run["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    kernels = sorted({kernel for result in run["results"] for kernel in result.get("blas", [])})
    targets = sorted({result["target"] for result in run["results"] if result.get("target")})
    lines = [
        f"{machine['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['system']}, "
        f"Python {machine['python']}; {packages}.",
        "",
        f"Our SIMD target: {', '.join(targets)}. BLAS kernels of the peers: {', '.join(kernels)}.",
        "",
    ]
    for threads, rate in run["rates"].items():
        lines.append(
            f"- {threads} threads: memory is read at {rate['read'] / 1e9:.1f} GB/s, multiply-adds run at "
            f"{rate['float32'] / 1e9:.0f} (float32) and {rate['float64'] / 1e9:.0f} (float64) GFLOP/s"
        )
    return lines


def markdown(run: dict[str, Any], name: str) -> str:
    failed = [f"- {line(result)}" for result in run["results"] if "error" in result]
    lines = [
        "# Measured",
        "",
        *heading(run),
        "",
        f"![ratio to the best peer and to the floor]({name}.svg)",
        "",
        *summary_table(run),
        "",
        "## Single calls",
        "",
        *latency_table(run),
        "",
        "## First fits of networks",
        "",
        *first_table(run),
        "",
        "## With a busy neighbour",
        "",
        *neighbour_table(run),
        "",
        "## Everyone",
        "",
        "≠ marks an answer outside the tolerance of the case; it is shown but is no peer to beat.",
        "",
        *everyone_table(run),
        "",
    ]
    return "\n".join([*lines, "## Failed", "", *failed, ""] if failed else lines)


def picture(run: dict[str, Any], path: Path) -> None:
    """Two log-scale bars a case: the best peer's time over ours, and our time over the floor."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    # A metric on 100 rows has no floor worth drawing, so such rows show the first bar only.
    shown = [(row, ours, peer) for row in rows(run) if (ours := row.ours) and (peer := row.best_peer)]
    shown.reverse()
    figure, (left, right) = pyplot.subplots(1, 2, sharey=True, figsize=(11, 1.2 + 0.24 * len(shown)))
    places = range(len(shown))
    faster = [peer.median / ours.median for _, ours, peer in shown]
    left.barh(
        places,
        [ratio - 1 for ratio in faster],
        left=1,
        color=["#2a7f62" if ratio >= 1 else "#b5473c" for ratio in faster],
    )
    bounded = [row.floor > 0 and "/100/" not in row.case for row, _, _ in shown]
    over = [
        max(ours.median / row.floor, 1.0) if has_floor else 1.0
        for (row, ours, _), has_floor in zip(shown, bounded, strict=True)
    ]
    right.barh(places, [ratio - 1 for ratio in over], left=1, color="#7a8aa0")
    left.set_yticks(list(places), [f"{row.case} ({row.threads}T)" for row, _, _ in shown], fontsize=7)
    left.set_title("times faster than the best peer", fontsize=9)
    right.set_title("times the floor of this machine", fontsize=9)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.axvline(1, color="black", linewidth=0.8)
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(axis="x", which="major", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def write(run: dict[str, Any], folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(run, indent=1) + "\n")
    (folder / f"{name}.md").write_text(markdown(run, name))
    if importlib.util.find_spec("matplotlib") and any(row.ours and row.best_peer for row in rows(run)):
        picture(run, folder / f"{name}.svg")
    print("\n".join(summary_table(run)))
    print(f"written: {folder / name}.json, .md, .svg")
