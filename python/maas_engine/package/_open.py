"""Opening a package: nothing of it is used before everything in it was proven."""

from __future__ import annotations

import os
from pathlib import Path

from maas_engine.errors import FormatError, InvalidArgument, MaasError, Unsupported
from maas_engine.model import Model
from maas_engine.monitoring import Profile
from maas_engine.package import _golden
from maas_engine.package import _manifest as manifests
from maas_engine.package._contents import check_signature, data_key, read_contents, read_part
from maas_engine.package._folder import Folder, fail
from maas_engine.package._manifest import Manifest, schema_document
from maas_engine.package._package import Package
from maas_engine.package._policy import Policy


def open_package(
    folder: str | os.PathLike[str], policy: Policy | None = None, digest: str | None = None
) -> Package:
    """Verify a package from its first byte to its answers, and return it.

    In this order: the files are those of the manifest and no others, regular ones; the manifest is well-formed, and
    has the digest asked for; the signature is good, where the policy asks for one; sizes, then digests; the schema is
    the graph's; the golden rows are answered as recorded; the profile is of the model's columns. Every file is read
    once, and the model made from the bytes that were verified.

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
        contents = read_contents(opened, digest)
        signed = check_signature(opened, contents, policy)
        key = data_key(opened, contents, policy)
        manifest = contents.manifest
        parts = {name: read_part(opened, contents, name, key, signed) for name in manifest.files}
    model = _model(manifest, parts)
    _golden.check(model, parts[_golden.NAME], manifest.numerics, manifest.tier)
    profile = _profile(model, parts.get(manifests.PROFILE))
    path, listed = Path(os.path.realpath(folder)), tuple(sorted(contents.names))
    package = Package(
        path, manifest, contents.digest, contents.encrypted, bool(signed), model, profile, listed
    )
    return package, parts


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


def _profile(model: Model, data: bytes | None) -> Profile | None:
    if data is None:
        return None
    try:
        profile = Profile.from_bytes(data)
    except FormatError as error:
        raise FormatError(f"[package] '{manifests.PROFILE}': {error}") from None
    if not profile.fits(model):
        fail(manifests.PROFILE, "the columns of model.onnx", "those of another model")
    return profile
