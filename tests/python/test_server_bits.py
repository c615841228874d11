"""The same bits by every way in, for every size of batch, however many threads serve and clients ask.

An answer is never another one because of the protocol, of how many rows were asked together, of the rows of
other callers that happened to run in the same batch, or of the thread that ran it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from served import (
    Wire,
    frame,
    infer_binary,
    infer_json,
    mlp,
    post,
    read_outputs,
    serve,
    text_classifier,
)
from small_models import linear

from maas_engine import Model, _server

SIZES = [1, 2, 3, 4, 7, 8, 31, 64, 1000]
MOST = max(SIZES)
MODELS = {
    "linear": linear(),
    "linear64": linear(np.float64),
    "texts": text_classifier(),
    "mlp": mlp(np.float32),
    "mlp64": mlp(np.float64),
}
Arrays = dict[str, NDArray[Any]]


def _inputs() -> dict[str, Arrays]:
    draws = np.random.default_rng(11)
    cities = np.array(["Oslo", "Łódź", "", "São Paulo", "elsewhere"], object)
    wide, narrow = draws.standard_normal((MOST, 20)), draws.standard_normal((MOST, 10))
    return {
        "linear": {"X": wide.astype("f4")},
        "linear64": {"X": wide},
        "texts": {
            "city": draws.choice(cities, (MOST, 1)),
            "measures": draws.standard_normal((MOST, 2)).astype("f4"),
        },
        "mlp": {"input": narrow.astype("f4")},
        "mlp64": {"input": narrow},
    }


INPUTS = _inputs()


def answer(model: Model, inputs: Arrays) -> Arrays:
    return model.run(inputs if len(inputs) > 1 else next(iter(inputs.values())))


EXPECTED = {name: answer(model, INPUTS[name]) for name, model in MODELS.items()}


def some(arrays: Arrays, first: int, count: int) -> Arrays:
    return {name: array[first : first + count] for name, array in arrays.items()}


def assert_same_bits(got: Arrays, expected: Arrays) -> None:
    assert list(got) == list(expected)
    for name, array in expected.items():
        assert got[name].shape == array.shape
        if array.dtype == object or array.dtype.kind in "UT":
            assert got[name].tolist() == array.tolist()
        else:
            assert got[name].dtype == array.dtype
            assert got[name].tobytes() == array.tobytes(), name


Ask = Callable[[str, Arrays], Arrays]


def by_json(wire: Wire) -> Ask:
    def ask(model: str, inputs: Arrays) -> Arrays:
        wire.send(post(f"/v2/models/{model}/infer", infer_json(inputs)))
        return read_outputs(wire.reply())

    return ask


def by_binary(wire: Wire) -> Ask:
    def ask(model: str, inputs: Arrays) -> Arrays:
        body, size = infer_binary(inputs)
        wire.send(post(f"/v2/models/{model}/infer", body, Inference_Header_Content_Length=size))
        return read_outputs(wire.reply())

    return ask


def by_frame(wire: Wire) -> Ask:
    def ask(model: str, inputs: Arrays) -> Arrays:
        wire.send(frame(inputs, model))
        got = wire.frame()
        assert got.status == 0, got
        return got.tensors

    return ask


WAYS = {"json": by_json, "binary": by_binary, "frame": by_frame}


@pytest.fixture(scope="module", params=[1, 2])
def server(request: pytest.FixtureRequest) -> Iterator[_server.Server]:
    with serve(MODELS, threads=request.param, compute_threads=request.param) as started:
        yield started


def _port(server: _server.Server, way: str) -> int:
    return server.tcp_port if way == "frame" else server.http_port


@pytest.mark.parametrize("name", MODELS)
def test_python_rows_and_arrays_agree(name: str) -> None:
    """What the servers' answers are held against: any batch is its rows, one by one."""
    model, inputs = MODELS[name], INPUTS[name]
    for size in SIZES:
        assert_same_bits(answer(model, some(inputs, 3, size)), some(EXPECTED[name], 3, size))
    for row in range(64):
        assert_same_bits(answer(model, some(inputs, row, 1)), some(EXPECTED[name], row, 1))
    if len(inputs) == 1:
        (rows,) = inputs.values()
        predicted = model.predict(rows)
        for row in range(64):
            assert model.predict(rows[row]).tobytes() == predicted[row : row + 1].tobytes()


def test_under_load(server: _server.Server) -> None:
    """Every way, model and size from several callers at once, so that their rows run together."""
    failures: list[BaseException] = []

    def ask_all(way: str, seed: int) -> None:
        try:
            draws = np.random.default_rng(seed)
            with Wire(_port(server, way)) as wire:
                ask = WAYS[way](wire)
                cases = [
                    (name, size) for name in MODELS for size in SIZES for _ in range(1 if size > 64 else 4)
                ]
                draws.shuffle(cases)
                for name, size in cases:
                    size = int(size)
                    first = int(draws.integers(0, MOST - size + 1))
                    got = ask(str(name), some(INPUTS[str(name)], first, size))
                    assert_same_bits(got, some(EXPECTED[str(name)], first, size))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask_all, args=(way, seed)) for way in WAYS for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("way", WAYS)
def test_pipelined_requests_of_many_models_in_one_segment(server: _server.Server, way: str) -> None:
    """Dozens of requests that arrive together run in few batches; each has its own rows' answer."""
    cases = [(name, 5 * i % 900, SIZES[i % 7]) for i, name in enumerate(list(MODELS) * 12)]
    sent = b""
    for i, (name, first, size) in enumerate(cases):
        inputs = some(INPUTS[name], first, size)
        path = f"/v2/models/{name}/infer"
        if way == "frame":
            sent += frame(inputs, name, id=i)
        elif way == "json":
            sent += post(path, infer_json(inputs))
        else:
            body, json_size = infer_binary(inputs)
            sent += post(path, body, Inference_Header_Content_Length=json_size)
    with Wire(_port(server, way)) as wire:
        threading.Thread(target=wire.send, args=(sent,)).start()
        for i in range(len(cases)):
            if way == "frame":
                got = wire.frame()
                assert got.status == 0, got
                i, outputs = got.id, got.tensors
            else:
                outputs = read_outputs(wire.reply())
            name, first, size = cases[i]
            assert_same_bits(outputs, some(EXPECTED[name], first, size))


def test_a_callers_bad_rows_spare_those_beside_them(server: _server.Server) -> None:
    """NaN and infinities of one caller stay in that caller's rows."""
    rows = INPUTS["mlp"]["input"][:8].copy()
    wild = rows.copy()
    wild[::2] = np.nan
    wild[1::2] = np.inf
    with Wire(server.tcp_port) as wire:
        wire.send(b"".join(frame({"input": wild if i % 2 else rows}, "mlp", id=i) for i in range(32)))
        answers = [wire.frame() for _ in range(32)]
    for got in answers:
        if got.id % 2 == 0:
            assert_same_bits(got.tensors, some(EXPECTED["mlp"], 0, 8))


@pytest.mark.parametrize("way", WAYS)
def test_large_batches_beside_small_ones(server: _server.Server, way: str) -> None:
    """Batches that go to the compute threads, while small ones of the same model are answered here."""
    inputs = {"input": np.tile(INPUTS["mlp"]["input"], (40, 1))}
    expected = {"output": np.tile(EXPECTED["mlp"]["output"], (40, 1))}
    failures: list[BaseException] = []

    def ask_small() -> None:
        try:
            with Wire(server.tcp_port) as wire:
                ask = by_frame(wire)
                for i in range(200):
                    assert_same_bits(ask("mlp", some(INPUTS["mlp"], i, 3)), some(EXPECTED["mlp"], i, 3))
        except BaseException as error:
            failures.append(error)

    beside = threading.Thread(target=ask_small)
    beside.start()
    with Wire(_port(server, way)) as wire:
        for _ in range(3):
            assert_same_bits(WAYS[way](wire)("mlp", inputs), expected)
    beside.join()
    assert failures == []


def test_models_exchanged_under_load(server: _server.Server) -> None:
    """Every answer is wholly the old model's or wholly the new one's, and no request fails."""
    models = [mlp(np.float32, seed=8), mlp(np.float32, seed=9)]
    rows = INPUTS["mlp"]["input"][:64]
    expected = {model.predict(rows).tobytes() for model in models}
    server.set_model("moving", "1", models[0].to_bytes())
    seen: set[bytes] = set()
    failures: list[BaseException] = []
    done = threading.Event()

    def ask_on(way: str) -> None:
        try:
            with Wire(_port(server, way)) as wire:
                ask = WAYS[way](wire)
                while not done.is_set():
                    seen.add(ask("moving", {"input": rows})["output"].tobytes())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask_on, args=(way,)) for way in WAYS]
    for thread in threads:
        thread.start()
    for i in range(60):
        server.set_model("moving", "1", models[i % 2].to_bytes())
        time.sleep(0.005)
    done.set()
    for thread in threads:
        thread.join()
    server.remove_model("moving", "1")
    assert failures == []
    assert seen == expected
