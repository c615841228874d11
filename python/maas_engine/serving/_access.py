"""Whose tokens count: those of a file, those of the registry. The data plane checks; here they are kept up to date."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from maas_engine._server import Server as DataPlane
from maas_engine.errors import InvalidArgument, MaasError, NotFound
from maas_engine.serving._log import told
from maas_engine.serving._sources import SharedRegistry
from maas_engine.serving._stamp import Stamp, stamp

if TYPE_CHECKING:
    from maas_engine.registry import TokenTable

LOG = logging.getLogger("maas_engine.serving")
Row = tuple[str, bytes, tuple[str, ...], "int | None"]  # id, sha256 of the text, scopes, expires


class Access:
    """The tokens of one server. Used by one thread after another."""

    def __init__(self, plane: DataPlane, registry: SharedRegistry, file: str, of_registry: bool) -> None:
        self._plane, self._registry = plane, registry
        self._file, self._of_registry = file, of_registry
        self._table: TokenTable | None = None
        self._stamp: Stamp | None = None
        self._of_file: list[Row] = []
        self._told: list[Row] | None = None
        self._reachable = True

    def asked_for(self) -> bool:
        """Whether requests need a token."""
        return bool(self._file) or self._of_registry

    def start(self) -> None:
        """Read the file for the first time. Raises NotFound, InvalidArgument."""
        if self._file:
            self._read_file()
        self.refresh()

    def refresh(self) -> None:
        """Tell the data plane what has changed. Without an answer for too long, only the file's tokens count."""
        if not self.asked_for():
            return
        if self._file and self._stamp != (now := stamp(self._file)):
            try:
                self._read_file()
            except MaasError as error:  # those before go on
                self._stamp = now
                told(LOG, logging.ERROR, "tokens", reason=str(error))
        rows = [*self._of_file, *self._rows_of_registry()]
        if rows != self._told:
            self._plane.set_tokens(rows)
            self._told = rows

    def _read_file(self) -> None:
        now = stamp(self._file)
        self._of_file, self._stamp = read_tokens(self._file), now

    def _rows_of_registry(self) -> list[Row]:
        if not self._of_registry:
            return []
        try:
            if self._table is None:
                from maas_engine.registry import TokenTable

                self._table = TokenTable(self._registry.get().database)
            rows = [(row.id, row.sha256, row.scopes, row.expires) for row in self._table.rows()]
        except MaasError as error:
            if self._reachable:
                told(LOG, logging.ERROR, "tokens", reason=str(error))
            self._reachable = False
            return []
        self._reachable = True
        return rows


def read_tokens(path: str) -> list[Row]:
    """Return the tokens of a file: a line each, the text and then its scopes (default ``predict:*``).

    Raises
    ------
    NotFound, InvalidArgument : no such file; a line that is none, by its number: no error repeats a token.
    """
    from maas_engine.registry._token_check import check_scope
    from maas_engine.registry._token_text import hash_token, token_id

    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text"
        raise NotFound(f"[serve] expected a file of tokens, got {path!r}: {why}") from None
    rows: list[Row] = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            scopes = tuple(check_scope(scope) for scope in words[1:]) or ("predict:*",)
            rows.append((token_id(words[0]), hash_token(words[0]), scopes, None))
        except InvalidArgument as error:
            raise InvalidArgument(f"[serve] {path!r}, line {number}: {error}") from None
    return rows
