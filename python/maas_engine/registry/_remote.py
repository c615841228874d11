"""A store behind a URL of fsspec: S3, Google Cloud Storage, Azure, SFTP and others."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from maas_engine._faults import point
from maas_engine.errors import InvalidArgument, Unsupported

THREADS = 8  # uploads at once
ATTEMPTS = 2  # of s3fs, each with those of the library below it: by themselves they would take minutes

# Where a put appears whole by itself; elsewhere it is written under another name and moved.
_WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "memory"}
_S3 = {"s3", "s3a"}
_UNFINISHED = ".unfinished."
_OPTIONS: dict[str, dict[str, Any]] = {
    scheme: {
        "config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": ATTEMPTS}}
    }
    for scheme in _S3
}


class Remote:
    """Objects as ``prefix/ab/cdef…`` of a file system of fsspec, which is opened when first used."""

    checks_cheaply = False

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._scheme = parts.scheme
        self._url = url.partition("?")[0]
        self._options = {**_OPTIONS.get(parts.scheme, {}), **dict(parse_qsl(parts.query))}
        self._lock = threading.Lock()
        self._opened: tuple[int, Any, str] | None = None  # process, file system, path in it

    def put_all(self, objects: Mapping[str, Iterable[bytes]]) -> dict[str, int]:
        with ThreadPoolExecutor(min(THREADS, len(objects))) as pool:
            sizes = pool.map(lambda item: self._put(item[0], b"".join(item[1])), objects.items())
            return dict(zip(objects, sizes, strict=True))

    def read(self, name: str, limit: int) -> bytes:
        system, root = self._open()
        path = f"{root}/{name}"
        try:
            data: bytes = system.cat_file(path, start=0, end=limit)
        except FileNotFoundError:
            self._expect_bucket()
            raise
        except OSError as error:
            if error.errno == errno.EINVAL and system.info(path)["size"] == 0:  # S3 has no range of nothing
                return b""
            raise
        return data

    def size(self, name: str) -> int | None:
        system, root = self._open()
        try:
            return int(system.info(f"{root}/{name}")["size"])
        except FileNotFoundError:
            self._expect_bucket()
            return None

    def delete(self, names: Iterable[str]) -> None:
        system, root = self._open()
        paths = [f"{root}/{name}" for name in names]
        try:
            if self._scheme in _S3:
                _delete_objects(system, paths)
                return
        except FileNotFoundError:
            self._expect_bucket()
            raise
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                system.rm_file(path)

    def list(self) -> Iterator[tuple[str, int, int]]:
        for name, entry in self._entries():
            if _UNFINISHED not in name:
                yield name, int(entry["size"]), self._modified(entry)

    def sweep(self, before: int, dry_run: bool) -> int:
        system, root = self._open()
        old = [
            name for name, entry in self._entries() if _UNFINISHED in name and self._modified(entry) < before
        ]
        if old and not dry_run:
            self.delete(old)
        return len(old) + (_abort_uploads(system, root, before, dry_run) if self._scheme in _S3 else 0)

    def _put(self, name: str, data: bytes) -> int:
        system, root = self._open()
        path = f"{root}/{name}"
        try:
            if self._scheme in _WHOLE:
                system.pipe_file(path, data)
            else:
                folder = os.path.dirname(path)
                system.makedirs(folder, exist_ok=True)
                temporary = f"{folder}/{_UNFINISHED}{os.urandom(8).hex()}"
                system.pipe_file(temporary, data)
                point("store.written")
                system.mv(temporary, path)
        except FileNotFoundError:
            self._expect_bucket()
            raise OSError(f"no place for {name}") from None
        point("store.renamed")
        return len(data)

    def _entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        system, root = self._open()
        try:
            found = system.find(root, detail=True)
        except FileNotFoundError:  # nothing was ever put
            found = {}
        if not found:
            self._expect_bucket()
        for path, entry in found.items():
            yield path.removeprefix(root).lstrip("/"), entry

    def _modified(self, entry: dict[str, Any]) -> int:
        """Microseconds since 1970."""
        for key in ("LastModified", "last_modified", "updated", "mtime", "created"):
            value = entry.get(key)
            if isinstance(value, datetime.datetime):
                return int(value.timestamp() * 1e6)
            if isinstance(value, (int, float)):
                return int(value * 1e6)
        return int(self._open()[0].modified(entry["name"]).timestamp() * 1e6)

    def _expect_bucket(self) -> None:
        """One that vanished, rather than one lost object."""
        system, root = self._open()
        if self._scheme not in _WHOLE - {"memory"}:
            return
        bucket = root.partition("/")[0]
        try:
            system.info(bucket)
        except FileNotFoundError:
            raise OSError("the bucket is not there") from None

    def _open(self) -> tuple[Any, str]:
        """The file system and our folder in it; a forked child opens its own."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), *self._create())
            return self._opened[1:]

    def _create(self) -> tuple[Any, str]:
        try:
            from fsspec.core import url_to_fs

            # Listings are not remembered: other processes write too.
            system, path = url_to_fs(
                self._url, use_listings_cache=False, skip_instance_cache=True, **self._options
            )
        except ImportError:
            extra = "s3" if self._scheme in _S3 else "registry"
            raise Unsupported(
                f"[registry] a store at {self._scheme}:// needs more: pip install 'maas_engine[{extra}]', "
                f"or fsspec's library for {self._scheme}"
            ) from None
        except ValueError:
            raise InvalidArgument(
                f"[registry] expected a store's URL that fsspec knows, got {self._scheme}://…"
            ) from None
        if self._scheme in _S3:
            system.retries = ATTEMPTS
        return system, path.rstrip("/")


def _delete_objects(system: Any, paths: list[str]) -> None:
    """Remove objects of S3, a thousand a request; what is missing is no error there."""
    for start in range(0, len(paths), 1000):
        parts = [path.partition("/") for path in paths[start : start + 1000]]
        keys = [{"Key": key} for _, _, key in parts]
        answer = system.call_s3("delete_objects", Bucket=parts[0][0], Delete={"Objects": keys, "Quiet": True})
        for error in answer.get("Errors", []):
            raise PermissionError(f"{error.get('Code')} for {error.get('Key')}")


def _abort_uploads(system: Any, root: str, before: int, dry_run: bool) -> int:
    """End S3's uploads in parts that nobody finished: unseen, yet paid for."""
    bucket, _, prefix = root.partition("/")
    count = 0
    for upload in system.list_multipart_uploads(bucket):
        mine = upload["Key"].startswith(f"{prefix}/" if prefix else "")
        if mine and upload["Initiated"].timestamp() * 1e6 < before:
            count += 1
            if not dry_run:
                system.call_s3(
                    "abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )
    return count
