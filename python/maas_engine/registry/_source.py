"""What a version is made of: a package's files, proven, from a folder or packed of a model."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from maas_engine.errors import InvalidArgument, PermissionDenied
from maas_engine.model import Model
from maas_engine.package import Manifest, Package, Policy, open_package
from maas_engine.package._manifest import NAME as MANIFEST
from maas_engine.package._write import pack
from maas_engine.registry._version import File


class Proven(NamedTuple):
    """A package of which everything was checked: its files by name, and where the bytes of each are by digest."""

    manifest: Manifest
    text: str
    files: dict[str, File]
    data: dict[str, bytes | Path]

    @property
    def digest(self) -> str:
        return self.files[MANIFEST].sha256

    @property
    def sizes(self) -> dict[str, int]:
        return {file.sha256: file.size for file in self.files.values()}


def prove(
    name: str, source: Package | Model | str | os.PathLike[str], X_reference: Any, policy: Policy
) -> Proven:
    """Pack a model, or verify a package."""
    if isinstance(source, (str, os.PathLike)) and not os.path.isdir(source):
        source = Model.load(source)
    if isinstance(source, Model):
        if policy.require_signature:
            raise PermissionDenied(
                "[registry] expected a package with a signature in 'model.sig', as the policy asks, got a model: "
                "pack and sign it first"
            )
        return _from_model(source, X_reference, name)
    if X_reference is not None:
        raise InvalidArgument("[registry] expected X_reference with a model only: a package has its own")
    if isinstance(source, Package):
        return _from_package(open_package(source.path, policy, source.digest))
    if isinstance(source, (str, os.PathLike)):
        return _from_package(open_package(source, policy))
    raise InvalidArgument(
        "[registry] expected a package, its folder, a Model (an estimator's to_model()) or the path of an ONNX "
        f"file, got {type(source).__name__}"
    )


def _from_model(model: Model, X_reference: Any, name: str) -> Proven:
    """What `pack` made in this process is proven: the file was read again, and answers as the model does."""
    packed = pack(model, X_reference, name)
    manifest = packed.parts[MANIFEST]
    files = {each: File(*entry) for each, entry in packed.manifest.files.items()}
    files[MANIFEST] = File(hashlib.sha256(manifest).hexdigest(), len(manifest))
    data: dict[str, bytes | Path] = {files[each].sha256: part for each, part in packed.parts.items()}
    return Proven(packed.manifest, manifest.decode(), files, data)


def _from_package(package: Package) -> Proven:
    files = _files(package)
    paths = package.files()
    data: dict[str, bytes | Path] = {file.sha256: paths[each] for each, file in files.items()}
    return Proven(package.manifest, package.manifest.to_bytes().decode(), files, data)


def _files(package: Package) -> dict[str, File]:
    """The files of a folder by name. Those that the manifest lists were hashed when the package was verified."""
    listed = {} if package.encrypted else package.manifest.files
    files = {}
    for name, path in package.files().items():
        if name in listed:
            files[name] = File(listed[name].sha256, listed[name].size)
        else:
            files[name] = _hash(path)
    return files


def _hash(path: Path) -> File:
    hasher, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while piece := file.read(2**20):
            hasher.update(piece)
            size += len(piece)
    return File(hasher.hexdigest(), size)
