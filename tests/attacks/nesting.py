"""Messages in messages, deep enough to overflow a stack. No part of the reader calls itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack, field, in_graph

DEPTH = 8_000  # each level copies the ones below, so this builds in a second


def nested(numbers: list[int], depth: int = DEPTH) -> bytes:
    content = b""
    for _ in range(depth):
        for number in reversed(numbers):
            content = field(number, content)
    return content


def attacks(folder: Path) -> Iterator[Attack]:
    subgraph = nested([1, 5, 6])  # graph.node.attribute.g
    branch = field(5, field(1, b"then_branch") + b"\xa0\x01\x05" + field(6, subgraph))
    loop = field(1, field(4, b"If") + field(1, b"x") + field(2, b"y") + branch)
    yield Attack(
        "subgraphs", in_graph(loop), "Unsupported", "[If 'y' attribute 'then_branch'] holds a subgraph"
    )
    types = field(1, b"x") + field(2, nested([4, 1]))  # sequence.elem_type
    yield Attack("sequences", in_graph(field(11, types)), "Unsupported", "input 'x'] is a sequence")
    optionals = field(1, b"x") + field(2, nested([9, 1]))
    yield Attack(
        "optionals", in_graph(field(11, optionals)), "Unsupported", "input 'x'] is a sequence, map, optional"
    )
    yield Attack("unknown fields", in_graph(nested([99])), "FormatError", "output")
    functions = in_graph(b"") + field(25, nested([7, 5, 6]))
    yield Attack("functions", functions, "FormatError", "output")
