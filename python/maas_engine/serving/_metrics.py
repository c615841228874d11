"""The data plane's figures in Prometheus' text format."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from maas_engine._core import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PROTOCOLS = ("http", "raw")
PARTS = {
    "all": ("maas_request_seconds", "Time from a request's last byte to its answer"),
    "wait": ("maas_request_wait_seconds", "Time of it in which nothing was done for it"),
    "decode": ("maas_request_decode_seconds", "Time of it in which it was decoded"),
    "run": ("maas_request_run_seconds", "Time of it in which the model ran on it and what came with it"),
    "encode": ("maas_request_encode_seconds", "Time of it in which its answer was made"),
}

Labels = Mapping[str, str]


def metrics_text(figures: Mapping[str, Any], ready: Iterable[Mapping[str, str]] = ()) -> str:
    """Return the text of ``/metrics``.

    Parameters
    ----------
    figures : dict
        Of ``_server.Server.figures()``.
    ready : iterable of dict
        ``name``, ``version`` and ``state`` of each model that the server was told to serve.
    """
    page = _Page()
    _models(page, [each for each in figures["models"] if each["model"]])
    _server(page, figures)
    _log(page, figures)
    page.family(
        "maas_model_ready", "gauge", "1 where the model is answered, with the version that is current"
    )
    for row in ready:
        page.sample({"model": row["name"], "version": row["version"]}, int(row["state"] == "READY"))
    _process(page)
    return page.text()


def _models(page: _Page, models: list[Any]) -> None:
    rows = [
        ({"model": each["model"], "version": each["version"], "protocol": protocol}, each[protocol])
        for each in models
        for protocol in PROTOCOLS
        if each[protocol]["answered"] or any(each[protocol]["errors"].values())
    ]
    page.family("maas_requests_total", "counter", "Requests to a model, answered or refused")
    for labels, requests in rows:
        page.sample(labels, requests["answered"] + sum(requests["errors"].values()))
    page.family("maas_rows_total", "counter", "Rows of requests that were answered")
    for labels, requests in rows:
        page.sample(labels, requests["rows"])
    page.family("maas_errors_total", "counter", "Requests to a model that were refused, by cause")
    for labels, requests in rows:
        for cause, count in requests["errors"].items():
            page.sample({**labels, "cause": cause}, count)
    for part, (name, words) in PARTS.items():
        page.family(name, "histogram", words)
        for labels, requests in rows:
            page.histogram(labels, requests["times_ns"][part], 1e-6, 1e-9)
    page.family("maas_run_rows", "histogram", "Rows of one run of a model, of one request or of several")
    for each in models:
        page.histogram({"model": each["model"], "version": each["version"]}, each["run_rows"], 1, 1)
    page.family("maas_run_seconds_total", "counter", "Time in which a model ran")
    for each in models:
        page.sample({"model": each["model"], "version": each["version"]}, each["run_ns"] * 1e-9)


def _server(page: _Page, figures: Mapping[str, Any]) -> None:
    nowhere: dict[str, Any] = next((each for each in figures["models"] if not each["model"]), {})
    page.family(
        "maas_other_requests_total", "counter", "Requests that were not for a model, or for none there is"
    )
    for protocol in PROTOCOLS if nowhere else ():
        requests = nowhere[protocol]
        page.sample({"protocol": protocol}, requests["answered"] + sum(requests["errors"].values()))
    page.family("maas_other_errors_total", "counter", "Those of them that were refused, by cause")
    for protocol in PROTOCOLS if nowhere else ():
        for cause, count in nowhere[protocol]["errors"].items():
            page.sample({"protocol": protocol, "cause": cause}, count)
    page.family("maas_connections_opened_total", "counter", "Connections since the start")
    for protocol in PROTOCOLS:
        page.sample({"protocol": protocol}, figures["opened"][protocol])
    page.family("maas_connections", "gauge", "Connections that are open")
    for protocol in PROTOCOLS:
        page.sample({"protocol": protocol}, max(0, figures["opened"][protocol] - figures["closed"][protocol]))
    for name, words in {
        "waiting_requests": "Requests that wait for the next run",
        "waiting_rows": "Rows that wait for the next run",
        "large_rows": "Rows of large requests, running or waiting to",
        "control_requests": "Requests that wait for the control plane",
    }.items():
        page.family(f"maas_{name}", "gauge", words)
        page.sample({}, figures[name])


def _log(page: _Page, figures: Mapping[str, Any]) -> None:
    page.family("maas_access_log_dropped_total", "counter", "Lines of the access log that were not written")
    page.sample({}, figures["log_dropped"])


def _process(page: _Page) -> None:
    page.family("maas_build_info", "gauge", "The engine's version")
    page.sample({"version": __version__}, 1)
    times = os.times()
    page.family("process_cpu_seconds_total", "counter", "Time of all threads on processors")
    page.sample({}, times.user + times.system)
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        files = len(os.listdir("/proc/self/fd")) - 1
    except OSError:  # another system
        return
    page.family("process_resident_memory_bytes", "gauge", "Memory in use")
    page.sample({}, pages * os.sysconf("SC_PAGE_SIZE"))
    page.family("process_open_fds", "gauge", "Files and sockets that are open")
    page.sample({}, files)


class _Page:
    """Lines of the text format; samples belong to the family before them."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._name = ""

    def family(self, name: str, kind: str, words: str) -> None:
        self._name = name
        self._lines += [f"# HELP {name} {words}.", f"# TYPE {name} {kind}"]

    def sample(self, labels: Labels, value: float, suffix: str = "") -> None:
        text = ",".join(f'{name}="{_escaped(each)}"' for name, each in labels.items())
        self._lines.append(f"{self._name}{suffix}{{{text}}} {_number(value)}")

    def histogram(self, labels: Labels, spread: Mapping[str, Any], bound: float, unit: float) -> None:
        """Bucket k holds what is at most ``bound`` 2^k; the sum counts ``unit``."""
        total = 0
        counts = spread["counts"].tolist()
        for k, count in enumerate(counts):
            total += count
            le = f"{bound * 2**k:.9g}" if k < len(counts) - 1 else "+Inf"
            self.sample({**labels, "le": le}, total, "_bucket")
        self.sample(labels, spread["sum"] * unit, "_sum")
        self.sample(labels, total, "_count")

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
