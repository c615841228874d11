"""What is known of a token, and whether a text is that token and allows what is asked."""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import Row

from maas_engine.errors import InvalidArgument, PermissionDenied
from maas_engine.registry import _events
from maas_engine.registry._token_text import hash_token, token_id
from maas_engine.registry._uri import check_name

ADMIN = "admin"  # allows everything

_NO_HASH = bytes(32)


@dataclass(frozen=True)
class TokenInfo:
    """What is known of a token: all but its text. Times are microseconds since 1970 UTC."""

    id: str
    scopes: tuple[str, ...]
    description: str
    created: int
    created_by: str
    expires: int | None
    revoked: int | None

    @property
    def state(self) -> str:
        """``"active"``, ``"expired"`` or ``"revoked"``, as of now."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= _events.now() else "active"

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "scopes": list(self.scopes), "state": self.state}


class KnownToken(NamedTuple):
    """A token as the database holds it; ``sha256`` is `_token_text.hash_token` of its text."""

    info: TokenInfo
    sha256: bytes


def from_row(row: Row[Any]) -> KnownToken:
    """The token of a row of the table."""
    scopes = tuple(json.loads(row.scopes))
    info = TokenInfo(row.id, scopes, row.description, row.created, row.created_by, row.expires, row.revoked)
    return KnownToken(info, bytes.fromhex(row.secret_hash))


def id_to_look_up(text: str) -> str:
    """The public id in a text.

    Raises
    ------
    PermissionDenied : it is no whole token.
    """
    try:
        return token_id(text)
    except InvalidArgument:
        deny()


def judge(known: KnownToken | None, text: str, scope: str) -> TokenInfo:
    """Return what is known of the token, if the text is that very token, it is active and allows the scope.

    Raises
    ------
    PermissionDenied : forged, expired, revoked and unknown (``known`` is None) tokens all give one message; a
        good token that does not allow the scope gives another.
    """
    # As much work for an id that is not there: no one learns from the time which are.
    right = hmac.compare_digest(_NO_HASH if known is None else known.sha256, hash_token(text))
    if known is None or not right or known.info.state != "active":
        deny()
    if not allows(known.info.scopes, scope):
        raise PermissionDenied(
            f"[token] expected a token for {scope!r}, got one for {', '.join(known.info.scopes)}"
        )
    return known.info


def deny() -> NoReturn:
    """Refuse a token without saying what is wrong with it."""
    raise PermissionDenied("[token] expected a token that is valid, got another text") from None


def check_scope(scope: str) -> str:
    """Return a scope that is well formed: ``admin``, ``predict:*`` or ``predict:NAME``."""
    if isinstance(scope, str):
        kind, colon, name = scope.partition(":")
        if scope in (ADMIN, "predict:*"):
            return scope
        if kind == "predict" and colon:
            return f"predict:{check_name(name)}"
    raise InvalidArgument("[token] expected a scope: 'admin', 'predict:*' or 'predict:NAME'")


def allows(scopes: tuple[str, ...], scope: str) -> bool:
    """Whether scopes allow one that is well formed."""
    kind = check_scope(scope).partition(":")[0]
    return scope in scopes or ADMIN in scopes or (scope != ADMIN and f"{kind}:*" in scopes)
