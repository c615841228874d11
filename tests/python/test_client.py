"""The clients beside `Model.predict`: the same X, the same bits, over both protocols, from threads and asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import small_models

import maas_engine
from maas_engine import errors
from maas_engine.client import AsyncClient, Client

_server = pytest.importorskip("maas_engine._server")

MODELS: dict[str, maas_engine.Model] = {
    "linear": small_models.linear(),
    "double": small_models.linear(np.float64, features=3, feature_names='["a", "b", "c"]'),
    "labels": small_models.classifier(["no", "yes", "może"]),
    "mixed": small_models.mixed(),
}
MIXED = {
    "age": np.array([31.0, 40.5]),
    "height": np.array([1.5, 1.75], np.float32),
    "city": np.array(["Oslo", "Łódź"], object),
    "count": np.array([2, 3]),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    running = _server.Server({"http_port": 0, "tcp_port": 0, "threads": 2})
    running.start()
    for name, model in MODELS.items():
        running.set_model(name, "1", model.to_bytes())
    yield running
    running.stop(2.0)


@pytest.fixture(params=["http", "tcp"])
def url(request: pytest.FixtureRequest, server: Any) -> str:
    port = server.http_port if request.param == "http" else server.tcp_port
    return f"{request.param}://127.0.0.1:{port}"


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as made:
        yield made


def same(got: Any, expected: Any) -> None:
    assert type(got) is type(expected)
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert got.tolist() == expected.tolist()


CASES: dict[str, tuple[str, Any]] = {
    "rows": ("linear", small_models.rows(7)),
    "columns first": ("linear", np.asfortranarray(small_models.rows(5))),
    "every second": ("linear", small_models.rows(8)[::2]),
    "none": ("linear", small_models.rows(0)),
    "one row": ("linear", small_models.rows(1)[0]),
    "lists": ("double", [[1, 2, 3], [4, 5, 6.5]]),
    "narrower": ("double", small_models.rows(4, 3)),
    "columns by name": ("double", {"c": [1.0, 2.0], "a": [3.0, 4.0], "b": [5.0, 6.0], "other": ["x", "y"]}),
    "a row by name": ("double", {"c": 1.0, "a": 3.0, "b": 5.0}),
    "rows by name": ("double", [{"c": 1.0, "a": 3.0, "b": 5.0}]),
    "text answers": ("labels", small_models.rows(9)),
    "a text": ("labels", small_models.rows(9)[0]),
    "mixed": ("mixed", MIXED),
    "a mixed row": ("mixed", {"age": 31.0, "height": 1.5, "city": "Oslo", "count": 2}),
}


@pytest.mark.parametrize("case", CASES)
def test_answers_are_the_models(client: Client, case: str) -> None:
    name, X = CASES[case]
    expected = MODELS[name].predict(X)
    got = client.predict(name, X)
    same(np.asarray(got), np.asarray(expected))
    assert np.ndim(got) == np.ndim(expected)


def test_frames_of_pandas_polars_and_arrow(client: Client) -> None:
    pandas, polars, arrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    expected = MODELS["mixed"].predict(MIXED)
    for frame in (pandas.DataFrame(MIXED), polars.DataFrame(MIXED), arrow.table(MIXED)):
        same(client.predict("mixed", frame), expected)
    cut = arrow.table({**MIXED, "city": ["Łódź", "Oslo"]}).slice(1)
    same(client.predict("mixed", cut), MODELS["mixed"].predict(cut))


def test_outputs_by_name(client: Client) -> None:
    X = small_models.rows(3)
    model = MODELS["labels"]
    same(client.predict("labels", X, outputs="probabilities"), model.predict_proba(X))
    both = client.predict("labels", X, outputs=["probabilities", "label"])
    assert list(both) == ["probabilities", "label"]
    same(both["label"], model.predict(X))
    with pytest.raises(errors.InvalidArgument, match=r"expected outputs of the model.*'nothing'"):
        client.predict("labels", X, outputs="nothing")


def test_answers_are_the_callers_own(client: Client) -> None:
    answer = client.predict("linear", small_models.rows(4))
    assert answer.flags.writeable
    assert answer.flags.aligned


def test_what_does_not_fit_is_said_before_it_travels(client: Client) -> None:
    with pytest.raises(errors.InvalidArgument, match="expected 20 features, got 3"):
        client.predict("linear", small_models.rows(2, 3))
    with pytest.raises(errors.InvalidArgument, match="would lose digits"):
        client.predict("linear", small_models.rows(2).astype(np.float64))


def test_errors_have_their_class(client: Client) -> None:
    with pytest.raises(errors.NotFound, match="unknown model"):
        client.predict("nothing", [[1.0]])
    with pytest.raises(errors.NotFound, match="unknown model"):
        client.predict("linear", small_models.rows(1), version="7")
    with pytest.raises(errors.InvalidArgument, match="expected the name of a model"):
        client.predict("", [[1.0]])


def test_version_metadata_and_health(client: Client) -> None:
    X = small_models.rows(2)
    same(client.predict("linear", X, version=1), MODELS["linear"].predict(X))
    assert client.metadata("double")["inputs"] == [{"name": "X", "datatype": "FP64", "shape": [-1, 3]}]
    assert client.ready()
    assert client.live()


def test_a_model_that_changes_its_inputs(server: Any, client: Client) -> None:
    first, second = small_models.linear(features=4), small_models.linear(np.float64, features=5)
    server.set_model("changing", "1", first.to_bytes())
    X = small_models.rows(3, 4)
    same(client.predict("changing", X), first.predict(X))
    server.set_model("changing", "1", second.to_bytes())
    X = small_models.rows(3, 5, np.float64)
    same(client.predict("changing", X), second.predict(X))
    server.remove_model("changing", "1")


def test_a_large_batch(client: Client) -> None:
    X = small_models.rows(200_000)
    same(client.predict("linear", X), MODELS["linear"].predict(X))


def test_threads_share_a_client(client: Client) -> None:
    failures: list[BaseException] = []

    def ask(seed: int) -> None:
        try:
            for i in range(20):
                X = small_models.rows(seed * 20 + i + 1)
                same(client.predict("linear", X), MODELS["linear"].predict(X))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_asyncio(url: str) -> None:
    async def run() -> None:
        async with AsyncClient(url) as client:
            assert await client.ready()
            assert await client.live()
            assert (await client.metadata("linear"))["name"] == "linear"
            for name, X in CASES.values():
                same(np.asarray(await client.predict(name, X)), np.asarray(MODELS[name].predict(X)))
            with pytest.raises(errors.NotFound):
                await client.predict("nothing", [[1.0]])
            tables = [small_models.rows(n) for n in range(1, 60)]
            answers = await asyncio.gather(*(client.predict("linear", X) for X in tables))
            for X, answer in zip(tables, answers, strict=True):
                same(answer, MODELS["linear"].predict(X))

    asyncio.run(run())


@pytest.mark.parametrize("rows", [1, 7, 64, 5000])
def test_frames_without_waiting(server: Any, rows: int) -> None:
    with Client(f"tcp://127.0.0.1:{server.tcp_port}") as client:
        for name, X in (("linear", small_models.rows(2000)), ("labels", small_models.rows(300))):
            same(client.predict_many(name, X, rows=rows), MODELS[name].predict(X))
        same(client.predict_many("mixed", MIXED, rows=1), MODELS["mixed"].predict(MIXED))
        same(client.predict_many("labels", X, output="probabilities"), MODELS["labels"].predict_proba(X))
        with pytest.raises(errors.InvalidArgument, match="table of rows"):
            client.predict_many("linear", X[0])
        with pytest.raises(errors.InvalidArgument, match="at least one row"):
            client.predict_many("linear", X[:0])


def test_frames_without_waiting_are_for_tcp(server: Any) -> None:
    with (
        Client(f"http://127.0.0.1:{server.http_port}") as client,
        pytest.raises(errors.Unsupported, match="tcp://"),
    ):
        client.predict_many("linear", small_models.rows(3))
