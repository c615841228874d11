"""External data elsewhere than beside the model. Paths are relative, without '..', links may not lead out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import onnx

from attacks.attack import Attack, node, proto, raw_tensor


def external(location: str, **more: str) -> bytes:
    tensor = raw_tensor("w", onnx.TensorProto.FLOAT, [4], data_location=onnx.TensorProto.EXTERNAL)
    for key, value in {"location": location, **more}.items():
        tensor.external_data.add(key=key, value=value)
    return proto(node("Add", ["x", "w"], ["y"]), constants={"w": tensor}).SerializeToString()


def attacks(folder: Path) -> Iterator[Attack]:
    inside = folder / "model"
    (inside / "sub").mkdir(parents=True)
    secret = folder / "secret"
    secret.write_bytes(bytes(16))
    (inside / "good").write_bytes(bytes(16))
    (inside / "link").symlink_to(secret)
    (inside / "relative").symlink_to("../secret")
    (inside / "up").symlink_to("..")
    (inside / "root").symlink_to("/")
    (inside / "loop").symlink_to("loop")
    (inside / "null").symlink_to("/dev/zero")
    os.mkfifo(inside / "pipe")

    def attack(name: str, content: bytes, error: str | None, words: str = "") -> Attack:
        path = inside / f"{name.replace(' ', '_')}.onnx"
        path.write_bytes(content)
        return Attack(name, path, error, words)

    yield attack("harmless", external("good"), None)
    yield attack("harmless dots", external("./sub/.//../good".replace("../", "").replace("sub", ".")), None)
    for location in ("../secret", "sub/../../secret", "sub/../good", "..", "a/.."):
        yield attack(f"dots {location.replace('/', ':')}", external(location), "FormatError", "by '..'")
    for location in (str(secret), "/etc/passwd", "", "good\0/../../secret"):
        kind = f"path {location.replace('/', ':')[-12:]}".replace("\0", "0")
        yield attack(kind, external(location), "FormatError", "not a path below the model's folder")
    for location in ("link", "relative", "up/secret", "root/etc/passwd", "null"):
        yield attack(
            f"by {location.replace('/', ':')}", external(location), "FormatError", "leaves the model's folder"
        )
    yield attack("a link to itself", external("loop"), "NotFound", "cannot be found")
    yield attack("a folder", external("sub"), "FormatError", "regular file")
    yield attack("the folder", external("."), "FormatError", "leaves the model's folder")
    yield attack("a pipe", external("pipe"), "FormatError", "regular file")
    yield attack("nothing there", external("none"), "NotFound", "cannot be found")
    yield attack("backslashes", external("..\\secret"), "NotFound", "cannot be found")
    yield attack("a long path", external("a/" * 2000 + "b"), "NotFound")
    for more in ({"offset": "-1"}, {"offset": "1e3"}, {"length": "18446744073709551616"}, {"length": " 16"}):
        yield attack(
            f"numbers {next(iter(more.values()))}",
            external("good", **more),
            "FormatError",
            "not a number of bytes",
        )
    for more in (
        {"offset": "1"},
        {"offset": "17"},
        {"length": "17"},
        {"offset": "9" * 18, "length": "9" * 18},
    ):
        yield attack(f"beyond {more}", external("good", **more), "FormatError")
    yield Attack("bytes alone", external("good"), "Unsupported", "only when the model is read from a file")
