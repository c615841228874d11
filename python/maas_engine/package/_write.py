"""Writing a package: the folder appears whole, or not at all."""

from __future__ import annotations

import datetime
import errno
import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from maas_engine import _core
from maas_engine._files import sync_folder, write_new
from maas_engine.errors import InvalidArgument
from maas_engine.model import Model
from maas_engine.monitoring import Profile
from maas_engine.package import _card, _golden
from maas_engine.package import _manifest as manifests
from maas_engine.package._canonical import canonical
from maas_engine.package._manifest import FileEntry, Manifest, schema_document
from maas_engine.package._package import Package


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

    It is written as ``.package.`` and random digits beside its place, and renamed. A killed process leaves that.

    Parameters
    ----------
    model : Model
    folder : path
        Must not exist; its parent must.
    X_reference : array, frame, dict or rows, as ``predict`` takes them; or None
        Golden rows are chosen from it, and its profile is kept, for drift. Without it golden rows are made from the
        schema, and there is no profile.
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
    packed = pack(model, X_reference, name, metrics, parameters, lineage, description)
    return keep(folder, packed)


class Packed(NamedTuple):
    """What a package's folder will hold: ``parts`` is every file by name."""

    model: Model
    profile: Profile | None
    manifest: Manifest
    parts: dict[str, bytes]


def pack(
    model: Model,
    X_reference: Any = None,
    name: str | None = None,
    metrics: Mapping[str, float] | None = None,
    parameters: Mapping[str, Any] | None = None,
    lineage: Mapping[str, str] | None = None,
    description: str = "",
) -> Packed:
    """Make the files of a package in memory; see `write`."""
    data = model.to_bytes()
    packed = Model.load(data)
    parts = {"model.onnx": data, _golden.NAME: _golden.build(packed, X_reference)}
    # The file answers as the model does.
    _golden.check(model, parts[_golden.NAME], _core.NUMERICS, _golden.tier())
    profile = None if X_reference is None else Profile.build(packed, X_reference)
    if profile is not None:
        parts[manifests.PROFILE] = profile.to_bytes()
    manifest = Manifest(
        name=packed.graph.name if name is None else name,
        created=now(),
        engine=_core.__version__,
        numerics=_core.NUMERICS,
        tier=_golden.tier(),
        schema=schema_document(packed.schema),
        labels=None if packed.labels is None else packed.labels.tolist(),
        metrics={key: _metric(key, value) for key, value in (metrics or {}).items()},
        parameters={key: _parameter(key, value) for key, value in (parameters or {}).items()},
        lineage=dict(lineage or {}),
        description=description,
        files={},
    )
    return complete(packed, profile, manifest, parts)


def complete(model: Model, profile: Profile | None, manifest: Manifest, parts: dict[str, bytes]) -> Packed:
    """Add the card, the digests and the manifest to the parts."""
    manifest = replace(manifest, files={name: _entry(data) for name, data in parts.items()})
    try:
        parts[_card.NAME] = _card.build(manifest.to_document())
    except InvalidArgument as error:
        raise InvalidArgument(f"[package] '{manifests.NAME}': {error}") from None
    manifest = replace(manifest, files={**manifest.files, _card.NAME: _entry(parts[_card.NAME])})
    parts[manifests.NAME] = manifest.to_bytes()
    return Packed(model, profile, manifest, parts)


def keep(folder: str | os.PathLike[str], packed: Packed) -> Package:
    """Write the folder, so that it survives a power cut."""
    path = Path(os.path.realpath(folder))
    write_folder(path, packed.parts)
    digest = hashlib.sha256(packed.parts[manifests.NAME]).hexdigest()
    return Package(
        path, packed.manifest, digest, False, False, packed.model, packed.profile, tuple(sorted(packed.parts))
    )


def now() -> str:
    """Return the time as manifests have it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_folder(path: Path, parts: Mapping[str, bytes]) -> None:
    """Write files into a new folder, which appears by one rename."""
    if os.path.lexists(path):
        raise InvalidArgument(f"[package] '{path}': expected a folder that is not there yet, got one that is")
    if not path.parent.is_dir():  # rather than speak of the temporary folder
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    temporary = path.with_name(f".package.{os.urandom(8).hex()}")
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


def _metric(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidArgument(f"[package] expected a number as metric {name!r}, got {value!r:.60}") from None
    if not np.isfinite(number):
        raise InvalidArgument(f"[package] expected a finite number as metric {name!r}, got {number}")
    return number


def _parameter(name: str, value: Any) -> Any:
    plain = _plain(value)
    try:
        canonical(plain)
    except InvalidArgument as error:
        raise InvalidArgument(f"[package] parameter {name!r}: {error}") from None
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
