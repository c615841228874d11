"""Where the registry's files lie: each under the sha256 of its content, in a folder or behind a URL of fsspec."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import BinaryIO, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

import numpy as np
import zstandard

from maas_engine._faults import point
from maas_engine.errors import FormatError, InvalidArgument, MaasError, NotFound, Unavailable
from maas_engine.registry._folder import Folder

LEASE = 3600  # seconds that an upload may take: until then no one collects it
PACKED = ".zst"  # ends the name of what is kept compressed

_CHUNK = 2**20
_SAMPLES, _SAMPLE = 8, 2**14  # pieces, and bytes of each, by which a large file is judged
_WORTH = 0.75  # kept compressed where that takes at most this share: each reader unpacks it, and weights save little
_ASKED_FROM = 2**23  # bytes: smaller ones go to a remote store again sooner than it is asked for them
_MAX_WINDOW = 2**27  # bytes of memory that a compressed blob may ask for

Data = bytes | bytearray | memoryview | str | os.PathLike[str]
_T = TypeVar("_T")


class Stored(NamedTuple):
    """A blob in the store: its digest, the bytes it takes there, and when it came (microseconds since 1970)."""

    sha256: str
    size: int
    modified: int


class Backend(Protocol):
    """What holds named objects. Each appears whole under its name or not at all."""

    checks_cheaply: bool  # reading is about as fast as writing, so an object is read before it is trusted

    def put_all(self, objects: Mapping[str, Iterable[bytes]]) -> dict[str, int]: ...
    def read(self, name: str, limit: int) -> bytes: ...
    def size(self, name: str) -> int | None: ...
    def delete(self, names: Iterable[str]) -> None: ...
    def list(self) -> Iterator[tuple[str, int, int]]: ...
    def sweep(self, before: int, dry_run: bool) -> int: ...


class Store:
    """Blobs by digest. What is put is verified while it is written, what is read before it is returned.

    Parameters
    ----------
    url : str
        A folder, or a URL of fsspec: ``s3://bucket/prefix``. Its query becomes the file system's options:
        ``s3://bucket/prefix?endpoint_url=https://…``; secrets belong in the environment.

    Notes
    -----
    Threads, processes and forked children may share a store. Errors name it without user, password and query.

    Raises
    ------
    Unavailable : from every method, when the store gives no answer or has no room.
    """

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        if not rest or scheme == "file":
            place = os.path.abspath(rest or url)
            self._name = place
            self._backend: Backend = Folder(place)
        else:
            from maas_engine.registry._remote import Remote

            self._name = _without_secrets(url)
            self._backend = Remote(url)

    def __str__(self) -> str:
        return self._name

    def put(self, sha256: str, data: Data) -> int:
        """Keep ``data``, bytes or the path of a file; return the bytes it takes. Again is no harm.

        Raises
        ------
        FormatError : ``data`` has another digest. Nothing is kept.
        """
        return self.put_all({sha256: data})[sha256]

    def put_all(self, blobs: Mapping[str, Data]) -> dict[str, int]:
        """`put` each: faster than one after the other, for they share the waiting."""
        sizes: dict[str, int] = {}
        objects: dict[str, Iterable[bytes]] = {}
        with ExitStack() as stack:
            for sha256, data in blobs.items():
                file = stack.enter_context(_open(data))
                size = file.seek(0, os.SEEK_END)
                held = self._held(_check(sha256), size)
                if held is not None:
                    for _ in _pieces(file, sha256, packed=False):  # a wrong digest is an error all the same
                        pass
                    sizes[sha256] = held
                    continue
                packed = _packs(file, size)
                objects[_file_name(sha256, packed)] = _pieces(file, sha256, packed)
            if objects:
                try:
                    written = self._ask(lambda: self._backend.put_all(objects))
                except NotFound:
                    raise Unavailable(
                        f"[registry] no use of the store {self}: its folder went away"
                    ) from None
                sizes |= {_digest(name): size for name, size in written.items()}
        point("store.put")
        return sizes

    def read(self, sha256: str, size: int) -> bytes:
        """The blob of this digest and size.

        Raises
        ------
        NotFound : there is none.
        FormatError : it was changed.
        """
        _check(sha256)
        for packed in (False, True):
            name = _file_name(sha256, packed)
            try:
                # Compressed only where that is smaller, so this bounds both.
                data = self._ask(lambda name=name: self._backend.read(name, size + 1))  # type: ignore[misc]
            except NotFound:
                continue
            data = _unpack(data, size) if packed else data
            if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
                raise FormatError(
                    f"[registry] blob {sha256} in {self}: expected {size} bytes of that sha256, got others"
                )
            return data
        raise NotFound(f"[registry] expected blob {sha256} in {self}, got nothing")

    def exists(self, sha256: str) -> bool:
        return self._size(_check(sha256)) is not None

    def delete(self, *digests: str) -> None:
        """Remove blobs; what is not there is no error."""
        names = [_file_name(_check(sha256), packed) for sha256 in digests for packed in (False, True)]
        self._ask(lambda: self._backend.delete(names))

    def list(self) -> Iterator[Stored]:
        """Every blob, in no order; other files in the same place are not seen."""
        for name, size, modified in self._ask(lambda: list(self._backend.list())):
            digest = _digest(name)
            if _SHA256.fullmatch(digest):
                yield Stored(digest, size, modified)

    def sweep(self, before: int, *, dry_run: bool = False) -> int:
        """Remove uploads begun before this moment (microseconds since 1970) and never finished; count them."""
        return self._ask(lambda: self._backend.sweep(before, dry_run))

    def _held(self, sha256: str, size: int) -> int | None:
        """The bytes that an intact copy takes. One that was damaged does not count, so that putting mends it."""
        cheap = self._backend.checks_cheaply
        if not cheap and size < _ASKED_FROM:
            return None
        held = self._size(sha256)
        if held is None or not cheap:
            return held
        try:
            self.read(sha256, size)
        except (NotFound, FormatError):
            return None
        return held

    def _size(self, sha256: str) -> int | None:
        for packed in (False, True):
            name = _file_name(sha256, packed)
            size = self._ask(lambda name=name: self._backend.size(name))  # type: ignore[misc]
            if size is not None:
                return size
        return None

    def _ask(self, work: Callable[[], _T]) -> _T:
        """Do it; whatever the backend's libraries raise becomes one of our errors, without their secrets."""
        try:
            return work()
        except MaasError:
            raise
        except FileNotFoundError:
            raise NotFound(f"[registry] expected a blob in {self}, got nothing") from None
        except Exception as error:
            raise Unavailable(f"[registry] no use of the store {self}: {_reason(error)}") from None


_SHA256 = re.compile(r"[0-9a-f]{64}")


def _check(sha256: str) -> str:
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise InvalidArgument(
            "[registry] expected a sha256 of 64 lower-case hexadecimal digits, got another text"
        )
    return sha256


def _file_name(sha256: str, packed: bool) -> str:
    return f"{sha256[:2]}/{sha256[2:]}{PACKED if packed else ''}"


def _digest(name: str) -> str:
    return name.removesuffix(PACKED).replace("/", "")


def _open(data: Data) -> BinaryIO:
    if isinstance(data, (str, os.PathLike)):
        return open(data, "rb")
    return io.BytesIO(data)


def _packs(file: BinaryIO, size: int) -> bool:
    """Whether compression pays, by all of a small file and by samples of a large one."""
    starts = (
        [0] if size <= _SAMPLES * _SAMPLE else np.linspace(0, size - _SAMPLE, _SAMPLES).astype(int).tolist()
    )
    sample = bytearray()
    for start in starts:
        file.seek(start)
        sample += file.read(_SAMPLE if len(starts) > 1 else size)
    return len(zstandard.ZstdCompressor(level=1).compress(sample)) <= _WORTH * len(sample)


def _pieces(file: BinaryIO, sha256: str, packed: bool) -> Iterator[bytes]:
    """What to write; raises at the end, before the object gets its name, when the digest is another."""
    packer = zstandard.ZstdCompressor(level=3).compressobj() if packed else None
    hasher = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_CHUNK):
        hasher.update(piece)
        yield packer.compress(piece) if packer else piece
        point("store.half_written")
    if hasher.hexdigest() != sha256:
        raise FormatError(f"[registry] expected content of sha256 {sha256}, got {hasher.hexdigest()}")
    if packer:
        yield packer.flush()


def _unpack(data: bytes, size: int) -> bytes:
    """At most ``size`` + 1 bytes, whatever the frame promises; what does not unpack comes back as it is."""
    try:
        with zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(data) as reader:
            return reader.read(size + 1)
    except zstandard.ZstdError:
        return data


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _reason(error: Exception) -> str:
    """What a library says went wrong, less what may be secret."""
    if isinstance(error, OSError) and error.strerror:
        text = str(error.strerror)
    else:
        text = str(error) if type(error) is OSError else f"{type(error).__name__}: {error}"
    text = re.sub(r"//[^/@\s]*@", "//", re.sub(r"\?[^\s'\"]*", "", text))
    for name, value in os.environ.items():
        if len(value) >= 8 and re.search(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY", name):
            text = text.replace(value, "…")
    return text
