"""`python -m benchmarks.embed PROGRAM`: one row in C++ and C beside ONNX Runtime, by PROGRAM, built from one_row.cc."""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from benchmarks.compare.models import NETWORKS, network_file, weights
from benchmarks.compare.report import text

import maas_engine

RESULTS = Path(__file__).resolve().parents[1] / "results"
OURS = ("maas.h", "maas_c.h")


@dataclass
class Found:
    """Of one model: the floor's parts, each rival's answer, and its times in seconds (`one_row.cc` says which)."""

    bytes: int = 0
    read_rate: float = 0.0
    products: int = 0
    product_rate: float = 0.0
    rows: dict[str, np.ndarray] = field(default_factory=dict)
    times: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def floor(self) -> float:
        """Seconds below which no program on this machine can answer a row."""
        return max(self.bytes / self.read_rate, self.products / self.product_rate)


def onnxruntime_library() -> Path:
    found = importlib.util.find_spec("onnxruntime")
    if found is None or found.origin is None:
        sys.exit("expected onnxruntime to be installed")
    return next(Path(found.origin).parent.glob("capi/libonnxruntime.so.*"))


def measure(program: str, paths: list[str]) -> tuple[str, dict[str, Found]]:
    """ONNX Runtime's version, and what is found of each model, on one core."""
    core = min(os.sched_getaffinity(0))
    done = subprocess.run(
        [program, onnxruntime_library(), *paths],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    models: dict[str, Found] = {path: Found() for path in paths}
    version = ""
    for line in done.stdout.splitlines():
        kind, of, *values = line.split("\t")
        if kind == "version":
            version = values[0]
        elif kind == "row":
            models[of].rows[values[0]] = np.array(values[1:], np.float32)
        elif kind == "time":
            median, single, single_p99 = map(float, values[1:])
            models[of].times[values[0]] = median, single, single_p99
        else:
            size, read_rate, products, product_rate = map(float, values)
            found = models[of]
            found.bytes, found.read_rate = int(size), read_rate
            found.products, found.product_rate = int(products), product_rate
    return version, models


def check(path: str, found: Found) -> None:
    """Ours has the bits of Python, the peer the same answer."""
    model = maas_engine.load(path)
    columns = np.arange(model.schema.inputs[0].row_size)
    wanted = model.predict((columns * 7 % 13 / 4 - 1.5).astype(np.float32)[None])
    for rival, row in found.rows.items():
        if rival in OURS and row.tobytes() != wanted.tobytes():
            sys.exit(f"{path}: {rival} gives {row}, Python {wanted}")
        np.testing.assert_allclose(row, wanted.ravel(), rtol=1e-4, atol=1e-5, err_msg=rival)


def table(models: dict[str, Found]) -> list[str]:
    lines = [
        "| model | through | one row, in a loop | a single call: median | p99 | floor | times the floor |",
        "|---|---|---|---|---|---|---|",
    ]
    for path, found in models.items():
        for rival, times in found.times.items():
            figures = " | ".join(map(text, (*times, found.floor)))
            lines.append(f"| {Path(path).stem} | {rival} | {figures} | {times[0] / found.floor:.3g} |")
    return lines


def floors(models: dict[str, Found]) -> list[str]:
    lines = ["| model | bytes | read at | multiply-adds | done at | floor |", "|---|---|---|---|---|---|"]
    for path, found in models.items():
        rates = f"{found.read_rate / 1e9:.4g} GB/s | {found.products:,} | {found.product_rate / 1e9:.3g} G/s"
        lines.append(f"| {Path(path).stem} | {found.bytes:,} | {rates} | {text(found.floor)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="one_row, as CMake builds it with MAAS_BENCHMARKS")
    parser.add_argument("--name", default="latest-embed", help="of the table in benchmarks/results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        paths = [network_file(kind, weights(kind, rng), Path(folder)) for kind in NETWORKS]
        version, models = measure(options.program, paths)
        for path, found in models.items():
            check(path, found)
    now = datetime.datetime.now(datetime.timezone.utc)
    head = [
        "# One row in C++ and C",
        "",
        f"{now:%Y-%m-%d %H:%M}, {cpu()}, one core, {platform.platform()}; onnxruntime {version}.",
        "",
    ]
    lines = [*head, *table(models), "", "## Floors", "", *floors(models)]
    (RESULTS / f"{options.name}.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


def cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
