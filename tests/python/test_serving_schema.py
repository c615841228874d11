"""The server keeps what its OpenAPI document says, whatever is asked: schemathesis makes the requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from registry_models import linear

pytest.importorskip("starlette")
schemathesis: Any = pytest.importorskip("schemathesis")

from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from maas_engine.serving import Server  # noqa: E402
from maas_engine.serving._openapi import document  # noqa: E402

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations()]
NAMES = {"model": "m", "version": "1"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({"m": linear()}, threads=1) as started:
        yield started


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_answers_are_as_described(operation: Any, server: Server) -> None:
    @given(case=operation.as_strategy(), known=booleans())
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def ask(case: Any, known: bool) -> None:
        if known:  # a model that is there
            case.path_parameters = {name: NAMES[name] for name in case.path_parameters}
        case.call_and_validate(base_url=f"http://127.0.0.1:{server.port}", checks=CHECKS)

    ask()
