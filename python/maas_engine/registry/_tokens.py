"""API tokens: made once and shown once, kept as hashes, with scopes, an end and a way to revoke them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select

from maas_engine.errors import InvalidArgument, NotFound
from maas_engine.registry import _events
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._token_check import TokenInfo, check_scope, from_row, id_to_look_up, judge
from maas_engine.registry._token_table import TokenTable
from maas_engine.registry._token_text import PATTERN, hash_token, new_token

MAX_SCOPES = 100
MAX_TEXT = 1000  # characters of a description or a reason
LONGEST = timedelta(days=36_500)


class Tokens(RegistryBase):
    """The tokens of a registry."""

    def create_token(
        self,
        scopes: str | Iterable[str],
        *,
        expires_in: float | timedelta | None = None,
        description: str = "",
    ) -> str:
        """Make a token and return its text, which no one can show again.

        Parameters
        ----------
        scopes : str or several
            ``predict:credit`` (that model), ``predict:*`` (every model), ``admin`` (everything).
        expires_in : timedelta or seconds, optional
            From now; default: it stays good until it is revoked.
        description : str
            What it is for.
        """
        allowed = _check_scopes(scopes)
        life = _check_life(expires_in)
        id, text = new_token()
        created = _events.now()
        expires = None if life is None else created + life
        secret_hash = hash_token(text).hex()
        row = {
            "id": id,
            "secret_hash": secret_hash,
            "description": _check_text(description, "description"),
            "scopes": json.dumps(allowed),
            "created": created,
            "created_by": self.actor,
            "expires": expires,
        }
        detail = {
            "id": id,
            "scopes": allowed,
            "expires": expires,
            "description": description,
            # Shows an audit that another secret was put in its place, and tells nothing of this one.
            "secret": hashlib.sha256(secret_hash.encode()).hexdigest(),
        }
        with self.database.write() as connection:
            connection.execute(t.tokens.insert().values(row))
            _events.append(connection, self.actor, "token.create", detail=detail)
        return text

    def check_token(self, text: str, scope: str) -> TokenInfo:
        """Return what is known of a token that allows a scope; asks the database. Servers use `token_table`.

        Raises
        ------
        PermissionDenied : mistyped, forged, expired and revoked tokens all give one message; a good one that does
            not allow the scope gives another.
        """
        wanted = id_to_look_up(text)
        with self.database.read() as connection:
            row = connection.execute(select(t.tokens).where(t.tokens.c.id == wanted)).one_or_none()
        return judge(None if row is None else from_row(row), text, scope)

    def list_tokens(self) -> list[TokenInfo]:
        """All tokens, the newest first, also those that are no longer good."""
        with self.database.read() as connection:
            rows = connection.execute(select(t.tokens).order_by(t.tokens.c.created.desc(), t.tokens.c.id))
            return [from_row(row).info for row in rows]

    def revoke_token(self, id: str, *, reason: str = "") -> TokenInfo:
        """End a token; servers refuse it within a second. Nothing happens to one revoked before.

        Raises
        ------
        NotFound : no token has that id.
        """
        mine = t.tokens.c.id == (id if isinstance(id, str) and id.isalnum() else "")
        detail = {"id": id, "reason": _check_text(reason, "reason")}
        with self.database.write() as connection:
            row = connection.execute(select(t.tokens).where(mine)).one_or_none()
            if row is None:  # not repeated: it may be a token's text
                raise NotFound(
                    "[token] expected the public id of a token, 16 hexadecimal digits, got another text"
                )
            if row.revoked is None:
                event = _events.append(connection, self.actor, "token.revoke", detail=detail)
                connection.execute(t.tokens.update().where(mine).values(revoked=event.time))
                row = connection.execute(select(t.tokens).where(mine)).one()
        return from_row(row).info

    def token_table(self) -> TokenTable:
        """The tokens as a server holds them: in memory, refreshed so that a revocation counts within a second."""
        return TokenTable(self.database)


def _check_scopes(scopes: str | Iterable[str]) -> list[str]:
    wanted = [scopes] if isinstance(scopes, str) else list(scopes)
    if not 1 <= len(wanted) <= MAX_SCOPES:
        raise InvalidArgument(f"[token] expected 1 to {MAX_SCOPES} scopes, got {len(wanted)}")
    return sorted({check_scope(scope) for scope in wanted})


def _check_life(expires_in: float | timedelta | None) -> int | None:
    """Microseconds."""
    if expires_in is None:
        return None
    seconds = expires_in.total_seconds() if isinstance(expires_in, timedelta) else expires_in
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not math.isfinite(seconds):
        raise InvalidArgument(f"[token] expected expires_in in seconds or as timedelta, got {expires_in!r}")
    if not 0 < seconds <= LONGEST.total_seconds():
        raise InvalidArgument(
            f"[token] expected expires_in above 0 and at most {LONGEST.days} days, got {expires_in!r}"
        )
    return max(1, round(seconds * 1e6))


def _check_text(text: str, what: str) -> str:
    if not isinstance(text, str) or len(text) > MAX_TEXT or not text.isprintable():
        raise InvalidArgument(f"[token] expected a {what} of at most {MAX_TEXT} printable characters")
    if PATTERN.search(text):
        raise InvalidArgument(f"[token] expected a {what} that holds no token: it is kept for all to read")
    return text
