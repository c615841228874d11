"""Opening a package: nothing of it is used before everything in it was proven."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from maas_engine.errors import FormatError, InvalidArgument, MaasError, Unsupported
from maas_engine.model import Model
from maas_engine.package import _golden
from maas_engine.package import _manifest as manifests
from maas_engine.package._folder import Folder, fail
from maas_engine.package._manifest import ENCRYPTION, SIGNATURE, Manifest, read_manifest, schema_document
from maas_engine.package._package import Package
from maas_engine.package._policy import Policy


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
    return open_parts(folder, policy, digest)[0]


def open_parts(
    folder: str | os.PathLike[str], policy: Policy | None, digest: str | None = None
) -> tuple[Package, dict[str, bytes]]:
    """Return a verified package and the content of the files that its manifest lists."""
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
    path, listed = Path(os.path.realpath(folder)), tuple(sorted(names))
    return Package(path, manifest, found, encrypted, signed, model, listed), parts


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
    given, labels = schema_document(model.schema), None if model.labels is None else model.labels.tolist()
    for key, value in manifest.schema.items():
        if value != given[key]:
            fail(manifests.NAME, f"schema.{key} as the graph of model.onnx has it", "another")
    if manifest.labels != labels:
        fail(manifests.NAME, "labels as model.onnx has them", "others")
    return model
