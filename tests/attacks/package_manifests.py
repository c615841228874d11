"""Manifests that claim, nest, repeat, and name files elsewhere. Limits come before anything is read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack
from attacks.packages import edit, harmless, refused, small_package

NAMES = (
    "../secret", "../../../../etc/passwd", "/etc/passwd", "sub/model.onnx", "./model.onnx", ".", "..", "",
    "model.onnx\0", "model.onnx/", "C:\\secret", "\\\\host\\share", "file:///etc/passwd", "~/.ssh/id_ed25519",
    "manifest.json", "model.sig", "encryption.json", "model.onnx.enc", "CON", "x" * 5000, "%2e%2e%2fsecret",
)  # fmt: skip
MANIFEST = "[package] 'manifest.json': expected "


def attacks(folder: Path) -> Iterator[Attack]:
    good = small_package(folder / "good")
    text = (good / "manifest.json").read_bytes()
    (folder / "secret").write_bytes(b"")

    def copy(name: str, manifest: bytes | None = None) -> Path:
        path = Path(shutil.copytree(good, folder / name))
        if manifest is not None:
            (path / "manifest.json").write_bytes(manifest)
        return path

    for i, name in enumerate(NAMES):
        path = copy(f"name {i}")
        edit(path, lambda found, name=name: found["files"].update({name: found["files"]["model.onnx"]}))  # type: ignore[misc]
        yield refused(f"files: {name[:20]!a}", path, f"{MANIFEST}only model.onnx, ")

    path = copy("sparse")
    os.truncate(path / "manifest.json", 2**40)
    yield refused("a manifest of a terabyte", path, "expected 4194304 bytes at most, got 1099511627776")
    for name, key, size in (("model.onnx", "model", 2**40), ("golden.safetensors", "golden", 2**27)):
        path = copy(f"sparse {key}")
        os.truncate(path / name, size)
        yield refused(f"{name} of {size} bytes", path, f"[package] '{name}': expected")
        edit(path, lambda found, name=name, size=size: found["files"][name].update(size=size))  # type: ignore[misc]
        yield refused(f"{name} of {size} bytes, as said", path, f"{MANIFEST}an integer of 0 to")
    path = copy("huge")
    edit(path, lambda found: found["parameters"].update(x="x" * (4 * 2**20)))
    yield refused("4 MiB of parameters", path, "expected 4194304 bytes at most")
    path = copy("large")
    edit(path, lambda found: found["parameters"].update(x="x" * (4 * 2**20 - 5000)))
    yield harmless("just less", path)

    def with_parameters(name: str, value: bytes) -> Path:
        changed = text.replace(b'"parameters":{}', b'"parameters":' + value)
        assert changed != text
        return copy(name, changed)

    for name, value, words in (
        ("deep lists", b'{"x":' + b"[" * 2_000_000 + b"]" * 2_000_000 + b"}", "JSON of 32 levels at most"),
        ("deep objects", b'{"x":' * 700_000, "JSON of 32 levels at most"),
        ("many lists", b'{"x":[' + b"[]," * 1_000_000 + b"[]]}", "100000 objects and lists at most"),
        ("quotes without end", b'{"' + b'\\"' * 2_000_000, "JSON"),
        ("a key twice", b'{"x":1,"x":1}', "each name once in an object, got 'x' twice"),
        ("NaN", b'{"x":NaN}', "finite numbers, got NaN"),
        ("Infinity", b'{"x":-Infinity}', "finite numbers, got -Infinity"),
        ("an infinite number", b'{"x":1e999}', "finite numbers, got 1e999"),
        ("a long number", b'{"x":' + b"9" * 4_000_000 + b"}", "numbers as ECMAScript writes them"),
        ("a long fraction", b'{"x":0.' + b"9" * 4_000_000 + b"}", "canonical JSON"),
        ("half a letter", b'{"x":"\\ud800"}', "text in Unicode"),
        ("bytes that are no text", b'{"x":"\xff"}', "JSON in UTF-8"),
        ("spaces", b"{ }", "canonical JSON (RFC 8785), got other text from byte"),
        ("a list", b"[]", "an object as parameters"),
    ):  # fmt: skip
        yield refused(name, with_parameters(name, value), f"{MANIFEST}{words}")
    twice = text.replace(b'"tier":"fma"', b'"tier":"fma","tier":"fma"').replace(
        b'"no_fma"', b'"no_fma","tier":"x"'
    )
    yield refused("the manifest's key twice", copy("twice", twice), f"{MANIFEST}each name once")
    yield refused("a byte order mark", copy("mark", b"\xef\xbb\xbf" + text), f"{MANIFEST}JSON")
    yield refused("two manifests", copy("two", text + text), f"{MANIFEST}JSON, got Extra data")
    yield refused("zeros", copy("zeros", bytes(len(text))), f"{MANIFEST}JSON")
