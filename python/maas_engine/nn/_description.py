"""What a model trains, as lines of text: two models with the same lines take the same steps."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from maas_engine.nn._graph import write_graph
from maas_engine.nn.layers import Dropout

if TYPE_CHECKING:
    from maas_engine.nn.sequential import Sequential


def describe(model: Sequential) -> list[str]:
    """Return the weights, layers, loss and optimizer of a compiled, built model; not the present values."""
    optimizer, loss = model.optimizer, model.loss
    lines = [f"type {model.dtype}"]
    trained = {id(each) for each in model.trainable_weights}
    for each in model.weights:
        penalty = each.regularizer
        notes = "" if id(each) in trained else ", not trained"
        if penalty is not None:
            notes += f", l1={penalty.l1!r}, l2={penalty.l2!r}"
        if not optimizer.decays(each.path):
            notes += ", no weight decay"
        lines.append(f"weights {each.path} {each.dtype}{list(each.shape)}{notes}")
    lines += _nodes(model)
    for layer in model.layers:
        if isinstance(layer, Dropout) and layer.seed is not None:
            lines.append(f"seed of {layer.name} {layer.seed}")
    loss_options = loss.to_core()
    lines.append(f"loss {loss_options.pop('name')}{_options(loss_options)}")
    rule = optimizer.to_core()
    name = rule.pop("rule")
    lines += [f"optimizer {name}", *(f"optimizer {key}={value!r}" for key, value in sorted(rule.items()))]
    schedule = optimizer.schedule
    lines.append(f"learning rate {'a number' if schedule is None else repr(schedule)}")
    return lines


def _nodes(model: Sequential) -> list[str]:
    graph, _ = write_graph(model.name, model.layers, model.signature("save_checkpoint"), training=True)
    names = {each.path for each in model.weights}
    lines = []
    for node in graph.nodes:
        constants = [
            _constant(graph.initializers[name])
            for name in node.inputs
            if name in graph.initializers and name not in names
        ]
        lines.append(f"layer {' '.join([node.op, *constants])}{_options(node.attributes)}")
    return lines


def _options(options: dict[str, Any]) -> str:
    return "".join(f", {key}={value!r}" for key, value in sorted(options.items()))


def _constant(array: Any) -> str:
    if array.size <= 4:
        return repr(array.tolist())
    return f"{array.dtype}{list(array.shape)}#{hashlib.sha256(array.tobytes()).hexdigest()[:16]}"


def first_difference(found: list[str], expected: list[str]) -> tuple[str, str] | None:
    """Return the first lines that differ, of both; None where there are none."""
    for one, other in zip(found, expected, strict=False):
        if one != other:
            return one, other
    if len(found) == len(expected):
        return None
    longer = found if len(found) > len(expected) else expected
    line = longer[min(len(found), len(expected))]
    return (line, "nothing more") if longer is found else ("nothing more", line)
