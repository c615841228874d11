"""The manifest: what a package is, and the size and sha256 of every file in it.

Its canonical text is `manifest.json`, whose sha256 is the package's digest: `sha256sum manifest.json` tells it. The
same rules stand in `manifest.schema.json`, for readers in other languages.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from maas_engine._schema import DTYPES, ROLES, Schema
from maas_engine.errors import FormatError, InvalidArgument
from maas_engine.package._canonical import LARGEST, canonical, parse

NAME = "manifest.json"
SIGNATURE = "model.sig"
ENCRYPTION = "encryption.json"
PROFILE = "profile.safetensors"
VERSION = 1
MAX_BYTES = 4 * 2**20

# The files that a manifest lists, and how large each may be. A name that is not here is not a package's: none can
# lead out of its folder.
MAX_SIZES = {
    "model.onnx": 2**31 - 1,  # all that a protobuf can hold
    "golden.safetensors": 2**26,
    PROFILE: 2**28,
    "card.cdx.json": 2**23,
}
OPTIONAL = (PROFILE,)

TIERS = ("fma", "no_fma")
MAX_NAME, MAX_TEXT, MAX_RANK = 256, 100_000, 16

_CREATED = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FileEntry(NamedTuple):
    """A file's content: its sha256 in hex, and its size in bytes, before any encryption."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a package is.

    Attributes
    ----------
    name : str
    created : str
        RFC 3339, UTC, whole seconds: "2026-01-31T09:05:00Z".
    engine : str
        Version of the engine that wrote the package.
    numerics : int
        Version of the engine's arithmetic, and ``tier``, "fma" or "no_fma", of the processor: where both are equal,
        so are all result bits.
    schema : dict
        ``inputs`` and ``outputs`` (lists of name, dtype and shape, null in it for the rows), ``feature_names`` (list or
        None) and ``roles`` (the value that each method gives).
    labels : list of int or str, or None
    metrics : dict of str to float
    parameters : dict of str to JSON
    lineage : dict of str to str
        Where it comes from: parent, data digest, code, command, ...
    description : str
    files : dict of str to FileEntry
        All but manifest.json, model.sig and encryption.json.
    version : int
        Of the manifest's own format.
    """

    name: str
    created: str
    engine: str
    numerics: int
    tier: str
    schema: dict[str, Any]
    labels: list[Any] | None
    metrics: dict[str, float]
    parameters: dict[str, Any]
    lineage: dict[str, str]
    description: str
    files: dict[str, FileEntry]
    version: int = VERSION

    def to_document(self) -> dict[str, Any]:
        """Return the manifest as JSON has it."""
        document = dict(vars(self))
        document["files"] = {name: entry._asdict() for name, entry in self.files.items()}
        return document

    def to_bytes(self) -> bytes:
        """Return the content of manifest.json.

        Raises
        ------
        InvalidArgument : what no reader would take.
        """
        try:
            data = canonical(self.to_document())
        except InvalidArgument as error:
            raise InvalidArgument(f"[package] '{NAME}': {error}") from None
        try:
            read_manifest(data)
        except FormatError as error:
            raise InvalidArgument(str(error)) from None
        return data

    @property
    def digest(self) -> str:
        """The package's digest, see `digest`."""
        return digest(self)


def digest(manifest: Manifest) -> str:
    """Return the sha256, in hex, of a manifest's canonical text: the digest of the package."""
    return hashlib.sha256(canonical(manifest.to_document())).hexdigest()


def schema_document(schema: Schema) -> dict[str, Any]:
    """Return a model's schema as manifests have it."""
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


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest of which ``data`` are the file.

    Raises
    ------
    FormatError : beginning ``[package] 'manifest.json':``, with the key that is wrong.
    """
    try:
        document = parse(data, MAX_BYTES)
    except FormatError as error:
        raise FormatError(f"[package] '{NAME}': {error}") from None
    keys = _object(document, "a manifest", tuple(Manifest.__dataclass_fields__))
    if type(keys["version"]) is not int or keys["version"] != VERSION:
        _fail(f"version {VERSION}", keys["version"])
    _text(keys["name"], "name", 1, MAX_NAME)
    _date(keys["created"])
    _text(keys["engine"], "engine", 1, MAX_NAME)
    _integer(keys["numerics"], "numerics", LARGEST)
    _one_of(keys["tier"], "tier", TIERS)
    _schema(keys["schema"])
    _labels(keys["labels"])
    _text(keys["description"], "description", 0, MAX_TEXT)
    metrics = _names(keys["metrics"], "metrics")
    for name, value in metrics.items():
        if type(value) not in (int, float):
            _fail(f"a number as metrics[{name!r}]", value)
    _names(keys["parameters"], "parameters")
    for name, value in _names(keys["lineage"], "lineage").items():
        _text(value, f"lineage[{name!r}]", 0, MAX_TEXT)
    keys["metrics"] = {name: float(value) for name, value in metrics.items()}
    keys["files"] = _files(keys["files"])
    return Manifest(**keys)


def _schema(value: Any) -> None:
    schema = _object(value, "schema", ("inputs", "outputs", "feature_names", "roles"))
    for key in ("inputs", "outputs"):
        for field in _list(schema[key], f"schema.{key}", minimum=1):
            field = _object(field, f"each of schema.{key}", ("name", "dtype", "shape"))
            _text(field["name"], f"the name in schema.{key}", 0, MAX_TEXT)
            _one_of(field["dtype"], f"the dtype in schema.{key}", DTYPES)
            shape = _list(field["shape"], f"the shape in schema.{key}")
            if len(shape) > MAX_RANK:
                _fail(f"{MAX_RANK} dimensions at most in schema.{key}", len(shape))
            for dim in shape:
                if dim is not None:
                    _integer(dim, f"a dimension in schema.{key}", LARGEST)
    if schema["feature_names"] is not None:
        for name in _list(schema["feature_names"], "schema.feature_names"):
            _text(name, "each of schema.feature_names", 0, MAX_TEXT)
    roles = _object(schema["roles"], "schema.roles", ("predict",), ROLES)
    for role, name in roles.items():
        _text(name, f"schema.roles.{role}", 0, MAX_TEXT)


def _labels(value: Any) -> None:
    if value is None:
        return
    types = {type(label) for label in _list(value, "labels")}
    if types not in ({int}, {str}, set()):
        _fail("labels that are all integers or all text", value)
    for label in value:
        if isinstance(label, str):
            _text(label, "a label", 0, MAX_TEXT)


def _files(value: Any) -> dict[str, FileEntry]:
    required = tuple(name for name in MAX_SIZES if name not in OPTIONAL)
    files = _object(value, "files", required, tuple(MAX_SIZES))
    entries = {}
    for name, entry in files.items():
        entry = _object(entry, f"files[{name!r}]", FileEntry._fields)
        if not isinstance(entry["sha256"], str) or not _SHA256.fullmatch(entry["sha256"]):
            _fail(f"64 hexadecimal digits as sha256 of {name}", entry["sha256"])
        _integer(entry["size"], f"size of {name}", MAX_SIZES[name])
        entries[name] = FileEntry(entry["sha256"], entry["size"])
    return entries


# --- kinds of values -----------------------------------------------------------------------------------


def _object(
    value: Any, what: str, required: tuple[str, ...], allowed: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(f"an object as {what}", value)
    missing = [name for name in required if name not in value]
    if missing:
        _fail(f"{what} with {', '.join(missing)}", sorted(value))
    unknown = [name for name in value if name not in required and name not in allowed]
    if unknown:
        _fail(f"only {', '.join(dict.fromkeys(required + allowed))} in {what}", unknown[0])
    return value


def _names(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _fail(f"an object as {what}", value)
    for name in value:
        _text(name, f"each name in {what}", 1, MAX_NAME)
    return value


def _list(value: Any, what: str, minimum: int = 0) -> list[Any]:
    if not isinstance(value, list) or len(value) < minimum:
        _fail(f"a list of {minimum} or more as {what}", value)
    return value


def _text(value: Any, what: str, minimum: int, maximum: int) -> None:
    if not isinstance(value, str) or not minimum <= len(value) <= maximum:
        _fail(f"text of {minimum} to {maximum} characters as {what}", value)


def _integer(value: Any, what: str, maximum: int) -> None:
    if type(value) is not int or not 0 <= value <= maximum:
        _fail(f"an integer of 0 to {maximum} as {what}", value)


def _one_of(value: Any, what: str, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        _fail(f"{' or '.join(allowed)} as {what}", value)


def _date(value: Any) -> None:
    if isinstance(value, str) and _CREATED.fullmatch(value):
        try:
            datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
            return
        except ValueError:
            pass
    _fail("a date as 2026-01-31T09:05:00Z in created", value)


def _fail(expected: str, got: Any) -> NoReturn:
    shown = ascii(got)
    shown = shown if len(shown) <= 80 else f"{shown[:60]}…{shown[-15:]}"
    raise FormatError(f"[package] '{NAME}': expected {expected}, got {shown}")
