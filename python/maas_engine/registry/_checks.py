"""What users may write into the registry: texts, tags and metrics, each with its limit."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from maas_engine.errors import InvalidArgument

MAX_KEY = 255  # characters, as columns of names have
MAX_VALUE = 16 * 2**10  # characters of a tag
MAX_REASON = 4 * 2**10
MAX_DESCRIPTION = 64 * 2**10
MAX_ENTRIES = 1000  # tags or metrics given at once

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_text(what: str, text: Any, limit: int) -> str:
    """Return a text that both databases hold as it is: no NUL, no half of a surrogate pair, at most ``limit``."""
    if not isinstance(text, str):
        raise InvalidArgument(f"[registry] expected {what} as text, got {type(text).__name__}")
    if len(text) > limit:
        raise InvalidArgument(f"[registry] expected {what} of at most {limit} characters, got {len(text)}")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text if letter > "\x7f"):
        raise InvalidArgument(
            f"[registry] expected {what} of valid characters, got NUL or half a surrogate pair"
        )
    return text


def check_key(what: str, key: Any) -> str:
    """Return the name of a tag or metric, or who acts: 1 to 255 characters, none of them for control."""
    if check_text(what, key, MAX_KEY) == "" or _CONTROL.search(key):
        raise InvalidArgument(
            f"[registry] expected {what} of 1 to {MAX_KEY} printable characters, got {key!r}"
        )
    return str(key)


def check_description(text: Any) -> str:
    return check_text("a description", text, MAX_DESCRIPTION)


def check_reason(text: Any) -> str:
    return check_text("a reason", text, MAX_REASON)


def check_tags(tags: Mapping[str, str] | None) -> dict[str, str]:
    """Return tags that are well formed, as a dict of their own."""
    checked = dict(_entries("tags", tags))
    for key, value in checked.items():
        check_tag(key, value)
    return checked


def check_tag(key: str, value: str) -> None:
    check_key("a tag's name", key)
    check_text(f"the tag {key!r}", value, MAX_VALUE)


def check_metrics(metrics: Mapping[str, float] | None) -> dict[str, float]:
    """Return metrics that are well formed, as a dict of their own: finite numbers by name."""
    checked = {}
    for key, value in _entries("metrics", metrics).items():
        check_key("a metric's name", key)
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(value, str) or not math.isfinite(number):
            raise InvalidArgument(
                f"[registry] expected a finite number as metric {key!r}, got {_short(value)}"
            )
        checked[key] = number + 0.0  # SQLite does not keep the sign of zero
    return checked


def _entries(what: str, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidArgument(f"[registry] expected {what} as a dict, got {type(given).__name__}")
    if len(given) > MAX_ENTRIES:
        raise InvalidArgument(f"[registry] expected at most {MAX_ENTRIES} {what}, got {len(given)}")
    return given


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
