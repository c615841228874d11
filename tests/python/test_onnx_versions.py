"""The reader's table of operator versions against ONNX's own history."""

from __future__ import annotations

import re
from pathlib import Path

import onnx
import pytest
from onnx import defs, helper

from maas_engine import _core

ROOM = Path(__file__).resolve().parents[2] / "cpp/maas/onnx"
NUMBERS = dict(re.findall(r"\b(k\w+) = (\d+)", (ROOM / "op_versions.h").read_text()))
DOMAINS = {"": ("kMain", "Opset"), "ai.onnx.ml": ("kMl", "MlOpset")}
LATEST = {
    "": defs.onnx_opset_version(),
    "ai.onnx.ml": max(v for d, v in helper.OP_SET_ID_VERSION_MAP if d == "ai.onnx.ml"),
}


def read_table(name: str) -> dict[str, list[int]]:
    """The rows {"Clip", {6, 11, 12, 13}} of a table in op_versions.cc."""
    source = (ROOM / "op_versions.cc").read_text()
    body = re.search(rf"Entry {name}\[\] = {{(.*?)\n}};", source, re.DOTALL)
    assert body is not None
    rows = re.findall(r'\{"(\w+)", \{([\d, ]+)\}\}', body[1])
    assert [op for op, _ in rows] == sorted(op for op, _ in rows), "looked up by halving"
    return {op: [int(version) for version in versions.split(",")] for op, versions in rows}


def history(domain: str, oldest: int) -> dict[str, list[int]]:
    versions: dict[str, list[int]] = {}
    for schema in defs.get_all_schemas_with_history():
        if schema.domain == domain and not schema.deprecated:
            versions.setdefault(schema.name, []).append(schema.since_version)
    return {
        op: sorted(v for v in found if v > oldest or v == max((o for o in found if o <= oldest), default=0))
        for op, found in versions.items()
    }


@pytest.mark.parametrize("domain", DOMAINS)
def test_newest_opset(domain: str) -> None:
    newest = int(NUMBERS[f"kNewest{DOMAINS[domain][1]}"])
    assert LATEST[domain] <= newest, (
        f"onnx {onnx.__version__} has opset {LATEST[domain]} of '{domain}', the reader knows {newest}: look at "
        "what changed in the operators below, add rules to upgrade.cc, then raise the number"
    )


@pytest.mark.parametrize("domain", DOMAINS)
def test_versions_of_operators(domain: str) -> None:
    table, opset = DOMAINS[domain]
    known = history(domain, int(NUMBERS[f"kOldest{opset}"]))
    rows = read_table(table)
    assert set(rows) <= set(known)
    for op, versions in rows.items():
        ours = [version for version in versions if version <= LATEST[domain]]
        assert ours == known[op], (
            f"{op}: look at what changed in version {known[op][-1]}, then add it to the table"
        )


def test_newest_ir() -> None:
    assert int(NUMBERS["kNewestIr"]) >= onnx.IR_VERSION


def test_written_versions_are_read() -> None:
    graph = _core.Graph(
        "g", [("x", "float32", [None, 2])], ["y"], [("Relu", "", "", ["x"], ["y"], {})], {}, {}
    )
    proto = onnx.load_from_string(_core.write_onnx(graph))
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", 21)]
    least_ir = helper.find_min_ir_version_for(proto.opset_import)
    assert proto.ir_version == least_ir
