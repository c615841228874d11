"""Packages: a model's folder, written whole, and opened only after everything in it was proven."""

from __future__ import annotations

import datetime
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from maas_engine import _core
from maas_engine._files import sync_folder, write_new
from maas_engine.errors import FormatError, InvalidArgument, MaasError, Unsupported
from maas_engine.model import Model
from maas_engine.package import _card, _golden
from maas_engine.package import _manifest as manifests
from maas_engine.package._folder import Folder, fail
from maas_engine.package._manifest import ENCRYPTION, SIGNATURE, FileEntry, Manifest, read_manifest
from maas_engine.package._policy import Policy


@dataclass(frozen=True)
class Package:
    """A verified package.

    Attributes
    ----------
    path : Path
    manifest : Manifest
    digest : str
        sha256 of manifest.json, which names the content of every other file.
    encrypted, signed : bool
        Whether its files were decrypted, and whether a signature was verified: one that the policy has no key for
        does not count.
    """

    path: Path
    manifest: Manifest
    digest: str
    encrypted: bool
    signed: bool
    _model: Model = field(repr=False, compare=False)
    _names: tuple[str, ...] = field(repr=False, compare=False)

    def model(self) -> Model:
        """Return the model, made from the very bytes that were verified."""
        return self._model

    def files(self) -> dict[str, Path]:
        """Return the paths of all files by name, as they lie in the folder, manifest.json among them."""
        return {name: self.path / name for name in self._names}


# --- writing -------------------------------------------------------------------------------------------


def write(
    model: Model,
    folder: str | os.PathLike[str],
    *,
    X_reference: Any = None,
    name: str | None = None,
    metrics: Mapping[str, float] | None = None,
    parameters: Mapping[str, Any] | None = None,
    lineage: Mapping[str, str] | None = None,
    description: str = "",
) -> Package:
    """Write a package. The folder appears whole, or not at all.

    Parameters
    ----------
    model : Model
    folder : path
        Must not exist; its parent must.
    X_reference : array, frame, dict or rows, as ``predict`` takes them; or None
        Golden rows are chosen from it. Without it they are made from the schema.
    name : str or None
        The graph's name unless given.
    metrics : dict of str to float
    parameters : dict of str to JSON values
        numpy's scalars and arrays become JSON's.
    lineage : dict of str to str
        Where the model comes from, by names such as parent, data, code, command.
    description : str

    Raises
    ------
    InvalidArgument : the folder exists, rows that the model does not take, values that JSON does not have.
    OSError : the disk is full, the parent missing, ...: nothing is left behind.
    """
    data = model.to_bytes()
    packed = Model.load(data)
    parts = {"model.onnx": data, _golden.NAME: _golden.build(packed, X_reference)}
    _golden.check(
        model, parts[_golden.NAME], _core.NUMERICS, _golden.tier()
    )  # the file answers as the model does
    manifest = Manifest(
        name=packed.graph.name if name is None else name,
        created=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        engine=_core.__version__,
        numerics=_core.NUMERICS,
        tier=_golden.tier(),
        schema=_schema_document(packed),
        labels=None if packed.labels is None else packed.labels.tolist(),
        metrics={key: _metric(key, value) for key, value in (metrics or {}).items()},
        parameters={key: _plain(value) for key, value in (parameters or {}).items()},
        lineage=dict(lineage or {}),
        description=description,
        files={},
    )
    return _write_parts(folder, packed, manifest, parts)


def _write_parts(
    folder: str | os.PathLike[str], model: Model, manifest: Manifest, parts: dict[str, bytes]
) -> Package:
    """Add the card, the digests and the manifest to the parts, and write them all."""
    manifest = replace(manifest, files={name: _entry(data) for name, data in parts.items()})
    parts[_card.NAME] = _card.build(manifest.to_document())
    manifest = replace(manifest, files={**manifest.files, _card.NAME: _entry(parts[_card.NAME])})
    parts[manifests.NAME] = manifest.to_bytes()
    path = Path(os.path.realpath(folder))
    _write_folder(path, parts)
    digest = hashlib.sha256(parts[manifests.NAME]).hexdigest()
    return Package(path, manifest, digest, False, False, model, tuple(sorted(parts)))


def _write_folder(path: Path, parts: Mapping[str, bytes]) -> None:
    if os.path.lexists(path):
        raise InvalidArgument(f"[package] '{path}': expected a folder that is not there yet, got one that is")
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    os.mkdir(temporary)
    try:
        for name, data in parts.items():
            write_new(temporary / name, [data])
        sync_folder(temporary)
        try:
            os.rename(temporary, path)
        except OSError:
            if os.path.lexists(path):  # another process was faster
                raise InvalidArgument(
                    f"[package] '{path}': expected a folder that is not there yet"
                ) from None
            raise
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(path.parent)


def _entry(data: bytes) -> FileEntry:
    return FileEntry(hashlib.sha256(data).hexdigest(), len(data))


def _schema_document(model: Model) -> dict[str, Any]:
    """A model's schema as the manifest has it."""
    schema = model.schema
    fields = {
        key: [{"name": each.name, "dtype": each.dtype, "shape": list(each.shape)} for each in values]
        for key, values in (("inputs", schema.inputs), ("outputs", schema.outputs))
    }
    names = None if schema.feature_names is None else list(schema.feature_names)
    return {
        **fields,
        "feature_names": names,
        "roles": {role: each.name for role, each in schema.roles.items()},
    }


def _metric(name: str, value: Any) -> float:
    number = float(value)
    if not np.isfinite(number):
        raise InvalidArgument(f"[package] expected a finite number as metric {name!r}, got {number}")
    return number


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


# --- opening -------------------------------------------------------------------------------------------


def open_package(
    folder: str | os.PathLike[str], policy: Policy | None = None, digest: str | None = None
) -> Package:
    """Verify a package from its first byte to its answers, and return it.

    In this order: the files are those of the manifest and no others, regular ones; the manifest is well-formed, and
    has the digest asked for; the signature is good, where the policy asks for one; sizes, then digests; the schema is
    the graph's; the golden rows are answered as recorded. Every file is read once, and the model made from the bytes
    that were verified.

    Parameters
    ----------
    folder : path
    policy : Policy or None
        None reads it from the environment.
    digest : str or None
        The package's digest, where the caller knows it from elsewhere: an older or altered manifest is refused.

    Raises
    ------
    NotFound : no such folder, or a file is missing.
    FormatError : what else is wrong; the message begins with the file's name.
    PermissionDenied : a signature that is missing or not good, a wrong key.

    Warns
    -----
    NumericsWarning : answers within tolerance of those recorded by other arithmetic.
    """
    policy = Policy.from_environment() if policy is None else policy
    with Folder(folder) as opened:
        names = opened.names()
        data = opened.read(manifests.NAME, manifests.MAX_BYTES)
        found = hashlib.sha256(data).hexdigest()
        if digest is not None and found != digest:
            fail(manifests.NAME, f"the manifest of package {digest}", f"that of {found}")
        manifest = read_manifest(data)
        encrypted = ENCRYPTION in names
        _check_names(names, manifest, encrypted)
        signed = _check_signature(opened, policy, found)
        parts = {name: _read(opened, name, manifest, policy, encrypted) for name in manifest.files}
    model = _model(manifest, parts)
    _golden.check(model, parts[_golden.NAME], manifest.numerics, manifest.tier)
    return Package(
        Path(os.path.realpath(folder)), manifest, found, encrypted, signed, model, tuple(sorted(names))
    )


def _check_names(names: set[str], manifest: Manifest, encrypted: bool) -> None:
    listed = {f"{name}.enc" if encrypted else name for name in manifest.files}
    missing = sorted(listed - names)
    if missing:
        fail(missing[0], "a file, as the manifest lists it", "none")
    more = sorted(names - listed - {manifests.NAME, SIGNATURE, ENCRYPTION})
    if more:
        fail(more[0], "only files that the manifest lists", "one more")


def _check_signature(folder: Folder, policy: Policy, manifest_sha256: str) -> bool:
    if not policy.require_signature:
        return False
    raise Unsupported(f"[package] '{SIGNATURE}': signatures are not supported yet")


def _read(folder: Folder, name: str, manifest: Manifest, policy: Policy, encrypted: bool) -> bytes:
    entry = manifest.files[name]
    if encrypted:
        raise Unsupported(f"[package] '{name}.enc': encrypted packages are not supported yet")
    data = folder.read(name, entry.size, exact=True)
    found = hashlib.sha256(data).hexdigest()
    if found != entry.sha256:
        fail(name, f"sha256 {entry.sha256}", found)
    return data


def _model(manifest: Manifest, parts: dict[str, bytes]) -> Model:
    try:
        model = Model.load(parts["model.onnx"])
    except (FormatError, Unsupported, InvalidArgument) as error:
        raise type(error)(f"[package] 'model.onnx': {error}") from None
    except MaasError as error:
        raise FormatError(f"[package] 'model.onnx': {error}") from None
    given, labels = _schema_document(model), None if model.labels is None else model.labels.tolist()
    for key, value in manifest.schema.items():
        if value != given[key]:
            fail(manifests.NAME, f"schema.{key} as the graph of model.onnx has it", "another")
    if manifest.labels != labels:
        fail(manifests.NAME, "labels as model.onnx has them", "others")
    return model
