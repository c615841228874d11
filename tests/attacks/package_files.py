"""What is not a regular file of the folder: links, pipes, devices, folders; files too many, and too few."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from attacks.attack import Attack
from attacks.packages import FILES, LISTED, harmless, refused, small_package


def attacks(folder: Path) -> Iterator[Attack]:
    good = small_package(folder / "good")
    (folder / "link").symlink_to(good)
    yield harmless("the folder by a link", folder / "link")

    def copy(name: str, without: str | None = None) -> Path:
        path = Path(shutil.copytree(good, folder / name))
        if without is not None:
            (path / without).unlink()
        return path

    for name in FILES:
        for kind, target in (("elsewhere", good / name), ("a device", "/dev/zero"), ("itself", name)):
            path = copy(f"{name} {kind}", name)
            (path / name).symlink_to(target)
            yield refused(f"{name} a link to {kind}", path, f"'{name}': expected a regular file, got a link")
        path = copy(f"{name} pipe", name)
        os.mkfifo(path / name)
        yield refused(f"{name} a pipe", path, f"'{name}': expected a regular file")
        path = copy(f"{name} folder", name)
        (path / name).mkdir()
        yield refused(f"{name} a folder", path, f"'{name}': expected a regular file")
        path = copy(f"{name} socket", name)
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.getcwd()
            os.chdir(path)  # such names are short
            listener.bind(name)
            os.chdir(here)
            yield refused(f"{name} a socket", path, f"'{name}': expected a regular file")
        path = copy(f"{name} missing", name)
        kind = "NotFound" if name == "manifest.json" else "FormatError"
        yield refused(f"{name} missing", path, f"[package] '{name}': expected a file", kind)
        path = copy(f"{name} empty")
        (path / name).write_bytes(b"")
        yield refused(f"{name} empty", path, f"[package] '{name}': expected")
        path = copy(f"{name} longer")
        with open(path / name, "ab") as file:
            file.write(b" ")
        yield refused(f"{name} longer", path, f"[package] '{name}': expected")
    try:
        path = copy("device", "card.cdx.json")
        os.mknod(path / "card.cdx.json", 0o20666, os.makedev(1, 5))
        yield refused("a device", path, "'card.cdx.json': expected a regular file")
    except PermissionError:
        pass  # for the system's user only
    yield from crowds(folder, good)


def crowds(folder: Path, good: Path) -> Iterator[Attack]:
    for name in (
        "weights.bin",
        ".hidden",
        "model.onnx.enc",
        "profile",
        "MODEL.ONNX",
        "\n\x1b[31m",
        "…",
    ):
        path = Path(shutil.copytree(good, folder / f"with {name!a}"))
        (path / name).write_bytes(b"")
        yield refused(
            f"one more, {name!a}", path, "': expected only files that the manifest lists, got one more"
        )
    path = Path(shutil.copytree(good, folder / "crowd"))
    for i in range(2_000):
        (path / str(i)).touch()
    yield refused("2,000 more", path, "': expected 64 files at most, got more")
    path = Path(shutil.copytree(good, folder / "empty signature"))
    (path / "model.sig").symlink_to("/dev/zero")
    yield refused("a signature elsewhere", path, "'model.sig': expected a regular file, got a link")
    path = Path(shutil.copytree(good, folder / "half encrypted"))
    (path / "encryption.json").write_bytes(b"{}")
    yield refused(
        "plain files as if encrypted", path, ".enc': expected a file, as the manifest lists it, got none"
    )
    for name in LISTED:
        path = Path(shutil.copytree(good, folder / f"hard {name}"))
        (path / name).unlink()
        os.link(good / name, path / name)
        yield harmless(f"{name} a hard link", path)
