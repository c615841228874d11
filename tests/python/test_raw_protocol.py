"""docs/raw_protocol.md says what the code does: its tables and its example are read here."""

from __future__ import annotations

import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "raw_protocol.md").read_text()


def rows(title: str) -> list[list[str]]:
    """The cells of the first table below a heading or of the one whose first column has that name."""
    tables = re.findall(r"(?:^\|.*\|\n)+", PAGE, re.MULTILINE)
    chosen = next(table for table in tables if table.split("\n")[0] == title)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in chosen.strip().split("\n")[2:]]


def test_fields_lie_side_by_side() -> None:
    tables = re.findall(r"\| offset \| size \| field \| meaning \|\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE)
    ends = []
    for table in tables:
        at = 0
        for line in table.strip().split("\n"):
            offset, size = (int(cell) for cell in line.strip("|").split("|")[:2])
            assert offset == at, line
            at += size
        ends.append(at)
    assert ends == [32, 16]


def test_numbers_are_those_of_the_code() -> None:
    header = (ROOT / "cpp/maas/wire/data_type.h").read_text()
    numbers = dict(re.findall(r"k(\w+) = (\d+),", header))
    numbers = {name.replace("Float", "Fp").upper(): number for name, number in numbers.items()}
    assert {name: number for name, number, _ in rows("| type | number | bytes a value |")} == {
        name: number for name, number in numbers.items() if name != "FP16"
    }
    errors = re.search(r"enum class ErrorCode \{([^}]*)\}", (ROOT / "cpp/maas/base/error.h").read_text())
    assert errors is not None
    assert re.findall(r"k(\w+)", errors[1]) == [name for name, _ in rows("| status | number |")]
    assert [int(number) for _, number in rows("| status | number |")] == list(range(1, 9))


def test_the_example_is_what_its_text_says() -> None:
    block = re.search(r"## An example.*?```\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    frame = bytes.fromhex(block[1])
    head = struct.pack("<IBBHQIHHHHI", len(frame) - 4, 1, 1, 0, 7, 0, 1, 0, 1, 0, 0)
    tensor = struct.pack("<BBHIQ2Q", 11, 2, 1, 0, 8, 1, 2) + b"X" + struct.pack("<2f", 1.0, 2.0)
    assert frame == head + b"m" + tensor
    quoted = re.search(
        r"kExample\(\s*((?:\"[^\"]*\"\s*)+)", (ROOT / "tests/cpp/wire/frame_test.cc").read_text()
    )
    assert quoted is not None
    text = "".join(re.findall(r'"([^"]*)"', quoted[1]))
    assert frame == re.sub(r"\\(x[0-9a-f]{2}|[0-7])", lambda m: chr(int(m[1].lstrip("x"), 16)), text).encode(
        "latin-1"
    )
