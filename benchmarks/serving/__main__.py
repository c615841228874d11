"""`python -m benchmarks.serving`: requests a second and latencies of each server, one after the other.

Needs wrk. All servers and wrk share the machine's cores; nobody is pinned. The servers answer the Open Inference
Protocol in JSON; every answer is checked once before it is timed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import maas_engine
from maas_engine.graph import GraphBuilder

from .servers import PORT, SERVERS, answers, resident, running

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
MODELS = {"small": (10, 64, 32, 1), "wide": (784, 256, 128, 10)}
CASES = [("small", 1), ("small", 64), ("wide", 1), ("wide", 64)]
SCALE = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def network(name: str, sizes: tuple[int, ...]) -> maas_engine.Model:
    random = np.random.default_rng(0)
    builder = GraphBuilder(name)
    x = builder.input("input", np.float32, (None, sizes[0]))
    for i, (rows, columns) in enumerate(itertools.pairwise(sizes)):
        weights = random.standard_normal((rows, columns)) / np.sqrt(rows)
        last = i == len(sizes) - 2
        x = builder.add(
            "Gemm",
            x,
            builder.constant(weights.astype(np.float32)),
            builder.constant(np.zeros(columns, np.float32)),
            **({"outputs": "output"} if last else {}),
        )
        if not last:
            x = builder.add("Relu", x)
    builder.output(x)
    return maas_engine.Model(builder.build())


def network_files(folder: Path) -> None:
    for name, sizes in MODELS.items():
        network(name, sizes).save(folder / f"{name}.onnx")


def body_of(rows: np.ndarray) -> bytes:
    """The request as clients send it: float32 printed as float64."""
    tensor = {"name": "input", "shape": list(rows.shape), "datatype": "FP32", "data": rows.ravel().tolist()}
    return json.dumps({"id": "1", "inputs": [tensor]}).encode()


def wrk(
    name: str,
    body: bytes,
    connections: int,
    seconds: float,
    work: Path,
    server: str = f"http://127.0.0.1:{PORT}",
) -> dict[str, float]:
    (work / "body").write_bytes(body)
    script = work / "post.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        f'local file = io.open("{work / "body"}", "rb")\nwrk.body = file:read("*all")\nfile:close()\n'
    )
    url = f"{server}/v2/models/{name}/infer"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if bad:
        raise RuntimeError(f"{bad[1]} errors")
    found = {f"p{p}": float(v) * SCALE[u] for p, v, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)", text)}
    return {"rate": float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0]), **found}


def measure(key: str, arguments: argparse.Namespace, models: Path, work: Path) -> dict[str, Any]:
    random = np.random.default_rng(1)
    environments = ROOT / "build" / "serving"
    first = body_of(random.standard_normal((1, 10)).astype(np.float32))
    out: dict[str, Any] = {"cases": {}}
    with running(key, environments, models, work, first) as (pid, seconds):
        out["start"] = seconds
        for name, count in CASES:
            rows = random.standard_normal((count, MODELS[name][0])).astype(np.float32)
            body = body_of(rows)
            reply = answers(body, name)
            expected = maas_engine.load(models / f"{name}.onnx").predict(rows)
            found = np.reshape(reply["outputs"][0]["data"], expected.shape) if reply else None
            if found is None or not np.allclose(found, expected, rtol=1e-4, atol=1e-5):
                raise RuntimeError(f"{key} answers {name} wrongly")
            wrk(name, body, 8, 1, work)  # warm
            for connections in arguments.connections:
                case = f"{name} {count} rows, {connections}"
                out["cases"][case] = wrk(name, body, connections, arguments.seconds, work)
                print(f"{key:10} {case:22} {out['cases'][case]['rate']:9.0f}/s", flush=True)
        time.sleep(2)  # for what connections that are gone leave to do
        out["memory"] = resident(pid)
    return out


def table(results: dict[str, Any]) -> str:
    """Ours beside each peer, in Markdown."""
    peers = [key for key in results if key != "ours"]
    lines = [
        "# Serving: requests a second (99th percentile), one row or 64 rows a request, Open Inference Protocol in JSON",
        "",
        f"{platform.machine()}, Python {platform.python_version()}, wrk with one thread on the same cores. "
        "Brackets behind a peer: how many times its rate ours is.",
        "",
        "| model, rows, connections | maas_engine | " + " | ".join(SERVERS[key].name for key in peers) + " |",
        "|---|---" + "|---" * len(peers) + "|",
    ]
    for case, ours in results["ours"]["cases"].items():
        cells = [f"{ours['rate']:,.0f} ({1e3 * ours['p99']:.2f} ms)"]
        for key in peers:
            peer = results[key].get("cases", {}).get(case)
            if peer is None:
                cells.append("–")
                continue
            ratio = ours["rate"] / peer["rate"]
            cells.append(f"{peer['rate']:,.0f} ({1e3 * peer['p99']:.2f} ms) [{ratio:.1f} ×]")
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    starts = [
        f"{results[key]['start']:.2f} s, {results[key]['memory'] / 2**20:.0f} MB"
        if "start" in results[key]
        else "–"
        for key in ("ours", *peers)
    ]
    lines.append("| start to first answer, memory after load | " + " | ".join(starts) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--connections", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--name", default="latest-serving", help="of the files in benchmarks/results")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("needs wrk: apt-get install wrk")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        network_files(folder)
        for key in arguments.servers:
            try:
                results[key] = measure(key, arguments, folder, folder)
            except (RuntimeError, subprocess.CalledProcessError) as error:
                results[key] = {"error": str(error)}
                print(f"{key:10} {error}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{arguments.name}.json").write_text(json.dumps(results, indent=1) + "\n")
    text = table(results)
    (RESULTS / f"{arguments.name}.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
