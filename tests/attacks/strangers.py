"""Operators, domains, functions and versions that the engine does not know. Refused, and named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from onnx import helper

from attacks.attack import Attack, field, in_graph, model, node, proto


def attacks(folder: Path) -> Iterator[Attack]:
    for op in ("Conv", "Loop", "Scan", "LSTM", "Range", "NonZero", "RandomNormal"):
        content = model(node(op, ["x"], ["y"], name="n"))
        yield Attack(op, content, "Unsupported", f"[{op} 'n'] operator {op} of domain ai.onnx, opset 21")
    for op in ("TreeEnsembleClassifier", "DictVectorizer", "SVMRegressor"):
        content = model(node(op, ["x"], ["y"], domain="ai.onnx.ml"))
        yield Attack(op, content, "Unsupported", f"operator {op} of domain ai.onnx.ml, opset 4")
    for domain in ("com.microsoft", "maas", "ai.onnx.training", "AI.ONNX"):
        yield Attack(
            domain, model(node("Dense", ["x"], ["y"], domain=domain)), "Unsupported", f"domain '{domain}'"
        )
    for opset in (0, 1, 5, 29, 2**31, -1, -(2**63)):
        content = model(node("Relu", ["x"], ["y"]), opset=opset)
        yield Attack(f"opset {opset}", content, "Unsupported", f"is of opset {opset} of domain ai.onnx")
    relu = node("Relu", ["x"], ["y"])
    with_function = proto(relu)
    body = [node("Relu", ["a"], ["b"])]
    with_function.functions.append(helper.make_function("", "Relu", ["a"], ["b"], body, []))
    yield Attack(
        "a function", with_function.SerializeToString(), "Unsupported", "a function that the model itself"
    )
    for version in (0, 1, 2, 99, -1, 2**62):
        strange = proto(relu)
        strange.ir_version = version
        error = "FormatError" if version <= 0 else "Unsupported"
        yield Attack(f"ir {version}", strange.SerializeToString(), error, "ir_version")
    for kind in (
        onnx.AttributeProto.TENSORS,
        onnx.AttributeProto.SPARSE_TENSOR,
        onnx.AttributeProto.TYPE_PROTO,
    ):
        strange = proto(relu)
        strange.graph.node[0].attribute.add(name="a", type=kind)
        yield Attack(f"attribute {kind}", strange.SerializeToString(), "Unsupported", "attribute 'a'")
    reference = proto(relu)
    reference.graph.node[0].attribute.add(name="a", type=onnx.AttributeProto.INT, ref_attr_name="b")
    yield Attack(
        "a reference", reference.SerializeToString(), "FormatError", "refers to an attribute of a function"
    )
    yield Attack("nothing", b"", "FormatError", "no graph")
    yield Attack("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "FormatError")
    yield Attack("an empty graph", in_graph(b""), "FormatError", "output")
    sparse = in_graph(field(15, b""))
    yield Attack("a sparse initializer", sparse, "Unsupported", "sparse initializer")
    training = node("Dropout", ["x", "", "t"], ["y"])
    yield Attack("training", model(training, constants={"t": True}), "Unsupported", "training mode")
