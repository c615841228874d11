"""The command ``bench --url``: a server under load, its latencies counted from when each request was due."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from rich.table import Table

from maas_engine import _server
from maas_engine.cli._report import PlainTable
from maas_engine.client import Client
from maas_engine.client._calls import key_of
from maas_engine.client._description import Description
from maas_engine.client._http import HttpCodec
from maas_engine.client._tensors import unpack
from maas_engine.errors import InvalidArgument, Unsupported

SHARES = (0.5, 0.9, 0.99, 0.999, 0.9999, 1.0)


def load(
    url: str,
    model: str,
    *,
    rate: float,
    connections: int,
    pipeline: int,
    rows: int,
    seconds: float,
    warm_up: float,
    as_json: bool,
    token: str | None,
    seed: int,
    steps: Any,
) -> dict[str, Any]:
    """Ask for the same ``rows`` generated rows for some seconds; return rates, latencies and errors.

    Raises
    ------
    Unsupported : a server that wants TLS.
    """
    parts = urlsplit(url)
    with Client(url, token) as client:
        if client._settings.address.tls is not None or (token and parts.scheme == "tcp"):
            raise Unsupported("bench expects http://, or tcp:// without token")
        described = Description(client.metadata(model))
        request = prepare(client, model, described, rows, seed, as_json=as_json)
        address = client._settings.address
    options = {
        "host": address.host,
        "port": address.port,
        "raw": address.raw,
        "connections": connections,
        "pipeline": pipeline,
        "rate": rate,
        "seconds": seconds,
        "warm_up": warm_up,
    }
    with steps.step(f"asking {address!r}"):
        measured = run(options, request)
    return {
        "url": repr(address),
        "model": model,
        "protocol": "raw frames" if address.raw else f"HTTP, {'JSON' if as_json else 'binary'}",
        "loop": "open" if rate > 0 else "closed",
        "rate": rate or None,
        "connections": connections,
        "pipeline": pipeline,
        "rows": rows,
        **summary(measured, rows),
    }


def prepare(
    client: Client, model: str, described: Description, rows: int, seed: int, *, as_json: bool
) -> bytes:
    """The bytes of one request of generated rows."""
    random = np.random.default_rng(seed)
    arrays = []
    for field in described.schema.inputs:
        shape = (rows, *field.row_shape) if field.batched else field.row_shape
        values = random.standard_normal(shape)
        arrays.append(np.full(shape, "", object) if field.dtype == "string" else values.astype(field.dtype))
    question = described.pack(arrays, None)
    codec = client._settings.codec
    if isinstance(codec, HttpCodec) and as_json:
        tensors = [
            {
                "name": each.name,
                "datatype": each.datatype,
                "shape": each.shape,
                "data": unpack(each).ravel().tolist(),
            }
            for each in question.tensors
        ]
        text = json.dumps({"inputs": tensors}, separators=(",", ":")).encode()
        return codec.post(*key_of(model, None), text)
    exchange = codec.infer(*key_of(model, None), question, None)
    return b"".join(exchange.parts)


def run(options: dict[str, Any], request: bytes) -> dict[str, Any]:
    """Run the generator beside this thread, which hears Ctrl-C: what was measured until then counts."""
    generator = _server.LoadGenerator(options, request)
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(generator.run())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        generator.stop()
        thread.join()
    if isinstance(found[0], Exception):
        raise found[0]
    measured: dict[str, Any] = found[0]
    return measured


def summary(measured: dict[str, Any], rows: int) -> dict[str, Any]:
    """Figures of a run; latencies in seconds, those of requests without answer as long as the run can tell."""
    ends = np.array([end for end, _ in measured["buckets"]], np.float64) / 1e9
    counts = np.array([count for _, count in measured["buckets"]], np.int64)
    answers, lost = int(counts.sum()), {k: v for k, v in measured["lost"].items() if v}
    good = sum(count for status, count in measured["statuses"].items() if status == 0 or 200 <= status < 300)
    errors = {str(k): v for k, v in measured["statuses"].items() if not (k == 0 or 200 <= k < 300)}
    if answers == 0:
        raise InvalidArgument("the server answered nothing")
    above = np.cumsum(counts)
    total = answers + sum(lost.values())  # who got no answer waited longer than anybody
    latency = {}
    for share in SHARES:
        at = int(np.searchsorted(above, max(1, int(np.ceil(share * total)))))
        latency["max" if share == 1.0 else f"p{100 * share:g}"] = (
            float(ends[at]) if at < len(ends) else float("inf")
        )
    return {
        "seconds": measured["seconds"],
        "requests": measured["asked"],
        "answers_per_second": good / measured["seconds"],
        "rows_per_second": rows * good / measured["seconds"],
        "latency": latency,
        "errors": {**errors, **lost},
        "histogram": [[float(end), int(count)] for end, count in zip(ends, counts, strict=True)],
    }


def table(result: dict[str, Any]) -> Iterator[Table]:
    """Percentiles below the rates."""
    rate = f"{result['rate']:g} requests a second" if result["rate"] else "closed loop"
    shown = PlainTable(
        f"{result['url']} {result['model']}: {result['protocol']}, {result['rows']} rows a request, {rate}, "
        f"{result['connections']} connections × {result['pipeline']}"
    )
    counted = (
        "when each request was due" if result["rate"] else "when each was sent: a slow server is asked less"
    )
    errors = ", ".join(f"{count} × {name}" for name, count in result["errors"].items()) or "none"
    shown.caption = (
        f"{result['answers_per_second']:,.0f} answers/s, {result['rows_per_second']:,.0f} rows/s; errors: {errors}; "
        f"latency from {counted}"
    )
    shown.add_column("percentile")
    shown.add_column("latency, ms", justify="right")
    for name, value in result["latency"].items():
        shown.add_row(name, f"{1e3 * value:.3f}")
    yield shown


def draw(result: dict[str, Any], file: str) -> None:
    """Latency by percentile, each further nine as wide as the one before."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    ends, counts = np.array(result["histogram"]).T
    above = 1 - (np.cumsum(counts) - counts / 2) / counts.sum()
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    axes.plot(1 / above, 1e3 * ends, drawstyle="steps-post")
    axes.set_xscale("log")
    axes.set_yscale("log")
    nines = [q for q in (0.0, 0.9, 0.99, 0.999, 0.9999, 0.99999) if 1 / (1 - q) <= 2 * counts.sum()]
    axes.set_xticks([1 / (1 - q) for q in nines], [f"{100 * q:g} %" for q in nines])
    axes.set_xlabel("percentile")
    axes.set_ylabel("latency, ms")
    axes.set_title(
        f"{result['model']}: {result['answers_per_second']:,.0f} answers/s, {result['loop']} loop",
        fontsize=10,
    )
    axes.grid(alpha=0.3)
    figure.savefig(file)
    plt.close(figure)
