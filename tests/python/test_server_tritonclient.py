"""The stock Open Inference clients of Triton, as their users call them: http and http.aio."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from served import every_type, mlp, serve, text_classifier
from small_models import classifier, rows
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from maas_engine import _server

MLP = mlp(np.float32)
LABELLED = classifier(["no", "yes", "może"])
X = rows(5, 10)
MODELS = {"mlp": MLP, "labelled": LABELLED, "types": every_type(), "texts": text_classifier()}
EXPECTED = MLP.predict(X)


@pytest.fixture(scope="module")
def server() -> Iterator[_server.Server]:
    with serve(MODELS, threads=2) as started:
        started.set_model("mlp", "2", mlp(np.float32).to_bytes())
        yield started


@pytest.fixture(scope="module")
def client(server: _server.Server) -> Iterator[Any]:
    with triton.InferenceServerClient(f"127.0.0.1:{server.http_port}", concurrency=4) as made:
        yield made


def given(name: str, array: Any, binary: bool = True) -> Any:
    made = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def wanted(name: str, binary: bool = True) -> Any:
    return triton.InferRequestedOutput(name, binary_data=binary)


@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary_out", [False, True])
@pytest.mark.parametrize("binary_in", [False, True])
def test_infer(client: Any, binary_in: bool, binary_out: bool, coding: str | None) -> None:
    result = client.infer(
        "mlp",
        [given("input", X, binary_in)],
        outputs=[wanted("output", binary_out)],
        request_id="my-id",
        request_compression_algorithm=coding,
        response_compression_algorithm=coding,
    )
    assert result.as_numpy("output").tobytes() == EXPECTED.tobytes()
    answer = result.get_response()
    assert (answer["id"], answer["model_name"]) == ("my-id", "mlp")
    assert ("data" in answer["outputs"][0]) is not binary_out


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_long_answers_come_compressed(client: Any, coding: str) -> None:
    many = rows(20000, 10)
    for binary in (False, True):
        result = client.infer(
            "mlp",
            [given("input", many)],
            outputs=[wanted("output", binary)],
            response_compression_algorithm=coding,
        )
        assert result.as_numpy("output").tobytes() == MLP.predict(many).tobytes()


def test_no_outputs_named_and_extras(client: Any) -> None:
    result = client.infer(
        "labelled",
        [given("X", rows(4))],
        model_version="1",
        query_params={"q": 1, "text": "a b&c"},
        headers={"X-Free": "1"},
        sequence_id=7,
        sequence_start=True,
        sequence_end=True,
        priority=1,
        timeout=1_000_000,
        parameters={"foo": 1, "bar": "x", "flag": True},
    )
    expected = LABELLED.run(rows(4))
    assert [output["name"] for output in result.get_response()["outputs"]] == list(expected)
    assert result.as_numpy("probabilities").tobytes() == expected["probabilities"].tobytes()
    assert [text.decode() for text in result.as_numpy("label")] == expected["label"].tolist()


def test_requested_outputs_in_their_order_and_each_its_way(client: Any) -> None:
    outputs = [wanted("probabilities", False), wanted("label", True)]
    result = client.infer("labelled", [given("X", rows(4))], outputs=outputs)
    answer = result.get_response()
    assert [output["name"] for output in answer["outputs"]] == ["probabilities", "label"]
    expected = LABELLED.run(rows(4))
    assert result.as_numpy("probabilities").tobytes() == expected["probabilities"].tobytes()
    assert [text.decode() for text in result.as_numpy("label")] == expected["label"].tolist()
    alone = client.infer("labelled", [given("X", rows(4))], outputs=[wanted("label", False)])
    assert alone.as_numpy("probabilities") is None
    assert alone.as_numpy("label").tolist() == expected["label"].tolist()


def test_versions(client: Any) -> None:
    for version in ("1", "2"):
        result = client.infer("mlp", [given("input", X)], model_version=version)
        assert result.get_response()["model_version"] == version
    with pytest.raises(InferenceServerException, match="404"):
        client.infer("mlp", [given("input", X)], model_version="3")


ARRAYS: dict[str, Any] = {
    "f4": np.array([[1.5, -0.0], [3.4028235e38, 1e-45]], "f4"),
    "f8": np.array([[0.1, -0.0], [1.7976931348623157e308, 5e-324]]),
    "i8": np.array([[2**63 - 1, -(2**63)], [0, 2**53 + 1]]),
    "i4": np.array([[2**31 - 1, -(2**31)], [0, 1]], "i4"),
    "b1": np.array([[True, False], [False, True]]),
    "text": np.array([["", "Łódź"], ['quote " \\ \n', "\U0001f600 \x00 x"]], object),
}


@pytest.mark.parametrize("ways", range(4))
def test_every_type_there_and_back(client: Any, ways: int) -> None:
    """All in JSON, all binary, and both mixtures, in the request as in the answer."""
    binary = {name: [False, True, i % 2 == 0, i % 2 == 1][ways] for i, name in enumerate(ARRAYS)}
    result = client.infer(
        "types",
        [given(name, array, binary[name]) for name, array in ARRAYS.items()],
        outputs=[wanted(f"{name}_out", not binary[name]) for name in ARRAYS],
    )
    for name, array in ARRAYS.items():
        got = result.as_numpy(f"{name}_out")
        if name == "text":
            texts = [text.decode() if isinstance(text, bytes) else text for text in got.ravel()]
            assert texts == array.ravel().tolist()
        else:
            assert got.dtype == array.dtype
            assert got.tobytes() == array.tobytes()
        assert got.shape == array.shape


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "i2", "u1", "u2", "u4"])
def test_narrow_integers_are_widened(client: Any, dtype: str, binary: bool) -> None:
    limits = np.iinfo(dtype)
    narrow = np.array([[limits.min, limits.max], [0, 1]], dtype)
    inputs = [given(name, ARRAYS[name]) for name in ARRAYS if name != "i8"]
    result = client.infer("types", [*inputs, given("i8", narrow, binary)], outputs=[wanted("i8_out")])
    assert result.as_numpy("i8_out").tolist() == narrow.tolist()


def test_missing_numbers_travel(client: Any) -> None:
    holes = X.copy()
    holes[1, 2] = np.nan
    for binary in (False, True):
        result = client.infer("mlp", [given("input", holes)], outputs=[wanted("output", binary)])
        assert np.isnan(result.as_numpy("output")[:, 0]).tolist() == [False, True, False, False, False]


def test_raw_body_of_the_only_input(client: Any) -> None:
    reply = client._post(
        "v2/models/mlp/infer", X.tobytes(), {"Inference-Header-Content-Length": 0}, query_params=None
    )
    size = int(reply.get("inference-header-content-length"))
    assert reply.status_code == 200
    assert reply.read()[size:] == EXPECTED.tobytes()


def test_asynchronous_requests_of_one_client(client: Any) -> None:
    pending = [client.async_infer("mlp", [given("input", rows(i + 1, 10))]) for i in range(40)]
    for i, each in enumerate(pending):
        got = each.get_result().as_numpy("output")
        assert got.tobytes() == MLP.predict(rows(i + 1, 10)).tobytes()


def test_health_and_metadata(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("mlp")
    assert client.is_model_ready("mlp", "2")
    assert not client.is_model_ready("mlp", "3")
    assert not client.is_model_ready("nobody")
    assert client.get_server_metadata()["name"] == "maas_engine"
    metadata = client.get_model_metadata("types")
    assert {each["name"]: each["datatype"] for each in metadata["inputs"]} == {
        "f4": "FP32", "f8": "FP64", "i8": "INT64", "i4": "INT32", "b1": "BOOL", "text": "BYTES",
    }  # fmt: skip


def test_errors_as_the_client_shows_them(client: Any) -> None:
    def message(status: int, *args: Any, **kwargs: Any) -> str:
        with pytest.raises(InferenceServerException) as raised:
            client.infer(*args, **kwargs)
        assert raised.value.status() == str(status)
        return str(raised.value.message())

    good = given("input", X)
    assert "'nobody'" in message(404, "nobody", [good])
    assert message(400, "mlp", [given("X", X)]) == "expected an input 'input'"
    assert message(400, "mlp", [given("input", X[:, :9])]) == (
        "expected input 'input' of shape [-1, 10], got [5, 9]"
    )
    assert message(400, "mlp", [given("input", X.astype("f8"))]) == "expected input 'input' of FP32, got FP64"
    assert message(400, "mlp", [good, given("more", X)]) == "expected inputs that the model has, got 'more'"
    assert message(400, "mlp", [good], outputs=[wanted("more")]) == (
        "expected outputs that the model has, got 'more'"
    )
    assert message(501, "mlp", [given("input", X.astype("f2"))]).startswith(
        "inputs[0] 'input': expected a data"
    )
    with pytest.raises(InferenceServerException, match="'nobody'"):
        client.get_model_metadata("nobody")


def test_aio(server: _server.Server) -> None:
    async def ask_all() -> None:
        async with triton_aio.InferenceServerClient(f"127.0.0.1:{server.http_port}", conn_limit=8) as client:
            assert await client.is_server_live()
            assert await client.is_server_ready()
            assert await client.is_model_ready("mlp", "1")
            assert (await client.get_model_metadata("mlp"))["versions"] == ["1", "2"]

            async def ask(i: int) -> None:
                coding = [None, "gzip", "deflate"][i % 3]
                result = await client.infer(
                    "mlp",
                    [given("input", rows(i + 1, 10), i % 2 == 0)],
                    outputs=[wanted("output", i % 4 < 2)] if i % 5 else None,
                    request_id=str(i),
                    request_compression_algorithm=coding,
                    response_compression_algorithm=coding,
                )
                assert result.get_response()["id"] == str(i)
                assert result.as_numpy("output").tobytes() == MLP.predict(rows(i + 1, 10)).tobytes()

            await asyncio.gather(*[ask(i) for i in range(60)])
            with pytest.raises(InferenceServerException, match="expected an input 'input'"):
                await client.infer("mlp", [given("X", X)])

    asyncio.run(ask_all())
