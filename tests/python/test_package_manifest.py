"""Manifests: their canonical text, and one set of rules in the reader and in the JSON Schema."""

from __future__ import annotations

import copy
import json
import struct
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

import maas_engine.package
from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.package import digest, read_manifest
from maas_engine.package._canonical import MAX_BRACKETS, MAX_DEPTH, canonical, parse

SCHEMA = json.loads((Path(maas_engine.package.__file__).parent / "manifest.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)
DIGITS = "0123456789abcdef" * 4
MEBIBYTE = 2**20

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "name": "credit",
    "created": "2026-01-31T09:05:00Z",
    "engine": "0.1.0",
    "numerics": 1,
    "tier": "fma",
    "schema": {
        "inputs": [{"name": "X", "dtype": "float64", "shape": [None, 3]}],
        "outputs": [{"name": "label", "dtype": "string", "shape": [None]}],
        "feature_names": ["a", "b", "c"],
        "roles": {"predict": "label", "predict_proba": "p"},
    },
    "labels": ["no", "yes"],
    "metrics": {"auc": 0.75},
    "parameters": {"C": 1.0, "nested": {"list": [1, None, True, "x"]}},
    "lineage": {"data": "sha256:00"},
    "description": "",
    "files": {
        "model.onnx": {"sha256": DIGITS, "size": 10},
        "golden.safetensors": {"sha256": DIGITS, "size": 0},
        "card.cdx.json": {"sha256": DIGITS, "size": 2**23},
    },
}


def reads(data: bytes) -> bool:
    try:
        read_manifest(data)
    except FormatError as error:
        assert str(error).startswith("[package] 'manifest.json': expected ")  # noqa: PT017
        return False
    return True


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The document with another value at a path."""
    document = copy.deepcopy(DOCUMENT)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


# --- canonical text ------------------------------------------------------------------------------------

# The table of RFC 8785, appendix B: the bits of a double, and its text.
NUMBERS = {
    "0000000000000000": "0", "8000000000000000": "0", "0000000000000001": "5e-324", "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308", "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992", "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000", "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23", "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000", "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21", "3eb0c6f7a0b5ed8c": "9.999999999999997e-7", "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332", "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333", "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343", "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}  # fmt: skip


@pytest.mark.parametrize("bits", NUMBERS)
def test_numbers_are_written_as_the_standard_says(bits: str) -> None:
    value = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical(value).decode() == NUMBERS[bits]
    assert parse(canonical([value]), 100) == [value]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_documents_are_written_as_another_library_does_and_read_back(document: Any) -> None:
    text = canonical(document)
    assert text == rfc8785.dumps(document)
    assert parse(text, len(text)) == document


def test_names_are_in_the_order_of_utf_16() -> None:
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert canonical(names).decode() == '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"\U0001f600":5,"\ufb33":3}'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (2**53, "integers within 2\\*\\*53"),
        ("\ud800", "Unicode"),
        ({"\udfff": 1}, "Unicode"),
        ({1: 1}, "names that are text"),
        ({1, 2}, "values of JSON, got set"),
        (b"", "values of JSON, got bytes"),
    ],
)
def test_what_json_does_not_have_is_not_written(value: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        canonical([value])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a":1,"a":1}', "each name once in an object, got 'a' twice"),
        (b'{"a":{"b":1,"b":2}}', "'b' twice"),
        (b"[NaN]", "finite numbers, got NaN"),
        (b"[-Infinity]", "finite numbers, got -Infinity"),
        (b"[1e999]", "finite numbers, got 1e999"),
        (b"[" + b"9" * 5000 + b"]", "numbers as ECMAScript writes them"),
        (b"[9007199254740993]", "canonical JSON"),
        (b"[1.0]", "canonical JSON .*, got other text from byte 2"),
        (b"[-0]", "canonical JSON"),
        (b'{"b":1,"a":1}', "canonical JSON .*, got other text from byte 2"),
        (b"[1, 2]", "canonical JSON"),
        (b"[1]\n", "canonical JSON .*, got other text from byte 3"),
        (b'["\\u0041"]', "canonical JSON"),
        (b'["\\ud800"]', "Unicode"),
        (b'["\xff"]', "JSON in UTF-8, got byte 0xff at 2"),
        (b"\xef\xbb\xbf[]", "JSON"),
        (b"", "JSON, got Expecting value"),
        (b"[1]]", "JSON, got Extra data"),
        (b'["', "JSON, got Unterminated string"),
        (b"[" * 33 + b"]" * 33, f"JSON of {MAX_DEPTH} levels at most"),
        (b'{"a":' * 2_000_000, f"JSON of {MAX_DEPTH} levels at most"),
        (b"[" + b"[]," * MAX_BRACKETS + b"[]]", f"{MAX_BRACKETS} objects and lists at most"),
        (b'["' + b'\\"' * 1_000_000, "JSON"),  # a string without an end, full of quotes
        (b" " * (4 * MEBIBYTE + 1), "4194304 bytes at most, got 4194305"),
    ],
    ids=range(24),
)  # fmt: skip
def test_what_is_not_canonical_is_not_read(text: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        parse(text, max(4 * MEBIBYTE, len(text) if text[:1] != b" " else 0))


def test_brackets_in_texts_do_not_count() -> None:
    document = ["[{" * 100, '\\"[' * 100]
    assert parse(canonical(document), 10_000) == document


# --- the reader and the schema ------------------------------------------------------------------------------

LABELS = ("labels",)
FIELD = ("schema", "inputs", 0)
MODEL = ("files", "model.onnx")
CASES: list[tuple[tuple[Any, ...], Any, bool]] = [
    (("version",), 1.0, True), (("version",), 2, False), (("version",), True, False), (("version",), "1", False),
    (("name",), "", False), (("name",), "x" * 256, True), (("name",), "😀" * 257, False), (("name",), None, False),
    (("created",), "2024-02-29T23:59:59Z", True), (("created",), "2023-02-29T23:59:59Z", False),
    (("created",), "2026-01-31T24:00:00Z", False), (("created",), "2026-01-31T09:05:00+00:00", False),
    (("created",), "2026-01-31T09:05:00Z\n", False), (("created",), "2026-01-31T09:05:60Z", False),
    (("created",), "٢٠٢٦-01-31T09:05:00Z", False), (("created",), "0000-01-31T09:05:00Z", False),
    (("numerics",), -1, False), (("numerics",), 1.5, False), (("numerics",), 1e300, False), (("numerics",), 0, True),
    (("tier",), "no_fma", True), (("tier",), "avx2", False), (("tier",), ["fma"], False),
    ((*FIELD, "dtype"), "complex64", False), ((*FIELD, "dtype"), "bool", True), ((*FIELD, "dtype"), {}, False),
    ((*FIELD, "shape"), [], True), ((*FIELD, "shape"), [1] * 17, False), ((*FIELD, "shape"), [-1], False),
    ((*FIELD, "shape"), [True], False), ((*FIELD, "shape"), None, False), ((*FIELD, "more"), 1, False),
    (("schema", "inputs"), [], False), (("schema", "inputs"), {}, False), (("schema", "feature_names"), None, True),
    (("schema", "feature_names"), [1], False), (("schema", "roles"), {"predict_proba": "p"}, False),
    (("schema", "roles", "transform"), "x", False), (("schema", "roles", "decision_function"), "s", True),
    (LABELS, None, True), (LABELS, [], True), (LABELS, [1, -(2**53) + 1], True), (LABELS, [1, "a"], False),
    (LABELS, [1, True], False), (LABELS, [0.5], False), (LABELS, [1.0, 2], True), (LABELS, [1e20], False),
    (("metrics", "x"), 1e20, True), (("metrics", "x"), True, False), (("metrics", "x"), "1", False),
    (("metrics", ""), 1, False), (("metrics", "x" * 257), 1, False), (("metrics",), [], False),
    (("parameters", "x"), [[[]]], True), (("parameters",), None, False), (("parameters", ""), 1, False),
    (("lineage", "x"), 1, False), (("lineage", "x"), "", True), (("lineage", "x"), "x" * 100_001, False),
    (("description",), "x" * 100_000, True), (("description",), "x" * 100_001, False),
    ((*MODEL, "size"), 2**31 - 1, True), ((*MODEL, "size"), 2**31, False), ((*MODEL, "size"), -1, False),
    ((*MODEL, "size"), "1", False), ((*MODEL, "sha256"), DIGITS.upper(), False),
    ((*MODEL, "sha256"), DIGITS + "\n", False), ((*MODEL, "sha256"), DIGITS[1:], False), ((*MODEL, "x"), 1, False),
    (("files", "golden.safetensors", "size"), 2**26 + 1, False), (("files", "card.cdx.json", "size"), 2**23 + 1, False),
    (("files", "profile.safetensors"), {"sha256": DIGITS, "size": 2**28}, True),
    (("files", "profile.safetensors"), {"sha256": DIGITS, "size": 2**28 + 1}, False),
    *((("files", name), {"sha256": DIGITS, "size": 1}, False) for name in (
        "../model.onnx", "/etc/passwd", "sub/model.onnx", ".", "..", "", "model.onnx.enc", "manifest.json",
        "model.sig", "encryption.json", "MODEL.ONNX", "model.onnx\n", "model.onnx\0", "C:\\model.onnx", "__proto__",
    )),
    (("unknown",), 1, False), (("Version",), 1, False),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "good"), CASES, ids=range(len(CASES)))
def test_cases(path: tuple[Any, ...], value: Any, good: bool) -> None:
    document = changed(path, value)
    assert reads(canonical(document)) == good
    assert VALIDATOR.is_valid(document) == good


@pytest.mark.parametrize("key", DOCUMENT)
def test_every_key_is_needed(key: str) -> None:
    document = {name: value for name, value in DOCUMENT.items() if name != key}
    assert not reads(canonical(document))
    assert not VALIDATOR.is_valid(document)


VALUES = JSON | st.sampled_from(
    [
        DIGITS,
        "fma",
        "float32",
        "2026-02-28T00:00:00Z",
        "2026-02-30T00:00:00Z",
        0,
        1,
        1.0,
        -1,
        2**31,
        2**53 - 1,
        1e16,
    ]
)
NAMES = (
    st.sampled_from(["predict", "decision_function", "profile.safetensors", "size", "name", "x", ""])
    | st.text()
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The document after a few changes, each somewhere in it: a value replaced, taken out, put in or doubled."""
    document = copy.deepcopy(DOCUMENT)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            inside = [each for each in (place.values() if isinstance(place, dict) else place) if each]
            inside = [each for each in inside if isinstance(each, (dict, list))]
            if not inside or draw(st.integers(0, 2)) == 0:
                break
            place = draw(st.sampled_from(inside))
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        how = draw(st.sampled_from(["replace", "delete", "add", "copy"]))
        if how == "add" or not keys:
            if isinstance(place, dict):
                place[draw(NAMES)] = draw(VALUES)
            else:
                place.append(draw(VALUES))
            continue
        key = draw(st.sampled_from(keys))
        if how == "replace":
            place[key] = draw(VALUES)
        elif how == "delete":
            del place[key]
        else:
            place[key] = copy.deepcopy(place[draw(st.sampled_from(keys))])
    return document


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_reader_and_schema_take_the_same_documents(document: Any) -> None:
    assert reads(canonical(document)) == VALIDATOR.is_valid(document)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_manifest_comes_back() -> None:
    data = canonical(DOCUMENT)
    manifest = read_manifest(data)
    assert manifest.to_document() == DOCUMENT
    assert manifest.to_bytes() == data
    assert manifest.files["card.cdx.json"].size == 2**23
    other = read_manifest(canonical(changed(("description",), "other")))
    assert digest(manifest) != digest(other)


@pytest.mark.parametrize("cut", range(0, len(canonical(DOCUMENT)), 7))
def test_a_cut_manifest_is_refused(cut: int) -> None:
    assert not reads(canonical(DOCUMENT)[:cut])
