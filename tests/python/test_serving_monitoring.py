"""Drift of a live server's rows, counted where they run."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_client import ask, question
from small_models import classifier, linear, mixed

from maas_engine._server import Server as DataPlane
from maas_engine.client import AsyncClient, Client
from maas_engine.errors import FormatError, NotFound, Unsupported
from maas_engine.model import Model
from maas_engine.monitoring import Profile
from maas_engine.serving import Server
from maas_engine.serving._monitoring import drift_page, states_of

pytest.importorskip("starlette")

RNG = np.random.default_rng(3)
REFERENCE = RNG.normal(size=(4000, 20)).astype(np.float32)


def send(port: int, rows: Any) -> None:
    """As bytes without JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    fields = {"Inference-Header-Content-Length": "0"}
    connection.request("POST", "/v2/models/m/infer", rows.tobytes(), fields)
    answer = connection.getresponse()
    assert (answer.status, bool(answer.read())) == (200, True)
    connection.close()


def started(model: Any, profile: Profile) -> DataPlane:
    plane = DataPlane({"http_port": 0, "threads": 2})
    plane.start()
    plane.set_model("m", "1", model.to_bytes(), states_of(profile))
    return plane


def live_bytes(plane: DataPlane, reference: Profile) -> bytes:
    found = plane.live_profile("m", "1")
    assert found is not None
    return reference.counted(found[1]).to_bytes()


def infer(plane: DataPlane, body: Any) -> None:
    status, answer = ask(plane.http_port, "/v2/models/m/infer", body)
    assert status == 200, answer


@pytest.mark.parametrize("model", [linear(), classifier([1, 5, 9]), classifier(["a", "b", "c"])])
def test_counts_are_those_of_the_profile_whatever_the_batches(model: Any) -> None:
    """Rows of 8 threads, of many sizes, small and large: the very bytes that the rows give at once."""
    reference = Profile.build(model, REFERENCE)
    plane = started(model, reference)
    rows = RNG.normal(0.3, 1.5, size=(3000, 20)).astype(np.float32)
    rows[::7, 3] = np.nan
    rows[::11, 5] = np.inf
    parts = np.array_split(rows, np.cumsum(RNG.integers(1, 40, 120)))

    def work(number: int) -> None:
        for part in parts[number::8]:
            if len(part):
                send(plane.http_port, part)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        live_bytes(plane, reference)  # taken out while they count
    for thread in threads:
        thread.join()
    expected = reference.empty()
    expected.update(rows, model.run(rows))
    assert live_bytes(plane, reference) == expected.to_bytes()
    assert live_bytes(plane, reference) == expected.to_bytes()
    plane.stop(1.0)


def test_large_requests_refused_rows_and_narrower_types() -> None:
    model = linear(np.float64)
    reference = Profile.build(model, REFERENCE.astype(np.float64))
    plane = started(model, reference)
    expected = reference.empty()
    large = np.tile(REFERENCE.astype(np.float64), (20, 1))
    send(plane.http_port, large)
    expected.update(large, model.run(large))
    infer(plane, question(REFERENCE[:50]))  # float32 for float64
    narrow = REFERENCE[:50].astype(np.float64)
    expected.update(narrow, model.run(narrow))
    assert ask(plane.http_port, "/v2/models/m/infer", question(REFERENCE[:, :3]))[0] == 400
    assert live_bytes(plane, reference) == expected.to_bytes()
    plane.stop(1.0)


def test_columns_of_texts() -> None:
    model = mixed()
    columns: dict[str, Any] = {
        "age": RNG.normal(size=(500, 1)),
        "height": RNG.normal(size=(500, 1)).astype(np.float32),
        "city": np.array(["Oslo", "Łódź", "Rome", ""], dtype=object)[RNG.integers(0, 4, (500, 1))],
        "count": RNG.integers(0, 5, (500, 1)),
    }
    reference = Profile.build(model, columns)
    plane = started(model, reference)
    kinds = {"age": "FP64", "height": "FP32", "city": "BYTES", "count": "INT64"}

    def work() -> None:
        for k in range(0, 500, 20):
            inputs = [
                {
                    "name": name,
                    "shape": [20, 1],
                    "datatype": kind,
                    "data": columns[name][k : k + 20].ravel().tolist(),
                }
                for name, kind in kinds.items()
            ]
            infer(plane, {"inputs": inputs})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = reference.empty()
    for _ in range(4):
        expected.update(columns, model.run(columns))
    assert live_bytes(plane, reference) == expected.to_bytes()
    plane.stop(1.0)


def test_a_server_finds_drift(tmp_path: Path) -> None:
    model = linear()
    package = model.package(tmp_path / "m", X_reference=REFERENCE)
    with Server({"m": package, "bare": model}, threads=1) as server:
        page = ask(server.port, "/v2/models/m/monitoring")[1]
        assert (page["model"], page["version"], page["rows"], page["level"]) == ("m", "1", 0, None)
        for k in range(0, 4000, 500):
            ask(server.port, "/v2/models/m/infer", question(REFERENCE[k : k + 500]))
        same = ask(server.port, "/v2/models/m/monitoring")[1]
        assert (same["rows"], same["level"]) == (4000, "none")
        shifted = REFERENCE.copy()
        shifted[:, 2] += 3.0
        shifted[::2, 4] = np.nan
        for _ in range(2):
            send(server.port, shifted)
        page = ask(server.port, "/v2/models/m/monitoring")[1]
        levels = {each["name"]: each["level"] for each in page["columns"] if each["of"] == "input"}
        assert page["level"] == "major"
        assert {name for name, level in levels.items() if level == "major"} == {"X[2]", "X[4]"}
        assert next(each for each in page["columns"] if each["name"] == "X[4]")["missing"] == pytest.approx(
            1 / 3
        )
        status, answer = ask(server.port, "/v2/models/bare/monitoring")
        assert status == 404
        assert "with a profile" in answer["error"]
        assert ask(server.port, "/v2/models/none/monitoring")[0] == 404
        asyncio.run(read_by_clients(f"http://127.0.0.1:{server.port}", page, model))


async def read_by_clients(url: str, page: dict[str, Any], model: Model) -> None:
    with Client(url) as client:
        async with AsyncClient(url) as other:
            assert client.monitoring("m") == await other.monitoring("m") == page
            assert client.describe("m").schema == (await other.describe("m")).schema == model.schema
            found, same = client.statistics(), await other.statistics()
            assert {each["name"] for each in found["model_stats"]} == {"m", "bare"}
            for each in (*found["model_stats"], *same["model_stats"]):
                del each["last_inference"]  # rounded anew each time
            assert found == same
            for name in ("bare", "none"):
                with pytest.raises(NotFound):
                    await other.monitoring(name)
    async with AsyncClient("tcp://127.0.0.1:1") as raw:
        for method in (raw.statistics, lambda: raw.monitoring("m")):
            with pytest.raises(Unsupported, match="http://"):
                await method()


def test_a_profile_of_another_model_counts_what_fits() -> None:
    reference = Profile.build(classifier([1, 5, 9]), REFERENCE)
    plane = started(linear(), reference)
    send(plane.http_port, REFERENCE[:10])
    found = plane.live_profile("m", "1")
    assert found is not None
    page = drift_page("m", "1", reference, *found)
    assert json.dumps(page, allow_nan=False)
    assert {each["of"]: each["rows"] for each in page["columns"]} == {"input": 10, "output": 0}
    plane.stop(1.0)


def test_states_that_are_none() -> None:
    plane, model = DataPlane({"http_port": 0}), linear().to_bytes()
    for state in (b"", b"MAST", b"x" * 100):
        with pytest.raises(FormatError):
            plane.set_model("m", "1", model, [(False, "X", 0, state)])
    assert plane.live_profile("m", "1") is None
    reference = Profile.build(linear(), REFERENCE)
    with pytest.raises(FormatError, match="expected 21 states, got 1"):
        reference.counted([b""])
