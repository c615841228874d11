"""Text of a search filter cut into tokens, and errors that point at the place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from maas_engine.errors import InvalidArgument

MAX_LENGTH = 4096  # characters
MAX_TOKENS = 512

_SHOWN = 60  # characters on each side of the place that an error points at

# Strings stand in '…' or "…", the quote doubled inside; keys also in `…`.
_TOKEN = re.compile(
    r"""
      (?P<space>   [ \t\r\n]+ )
    | (?P<word>    [A-Za-z_][A-Za-z0-9_]* (?: \.[\w\-/]+ (?:\.[\w\-/]+)* )? )
    | (?P<prefix>  \.(?=["`]) )
    | (?P<number>  [+-]? (?: [0-9]+ (?:\.[0-9]*)? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? (?![\w.]) )
    | (?P<text>    '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` )
    | (?P<sign>    <= | >= | != | <> | [=<>(),] )
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of the filter: ``kind`` is word, prefix, number, text, sign or end; ``at`` counts characters."""

    kind: str
    text: str
    at: int

    @property
    def keyword(self) -> str:
        """The word in capitals: AND, OR, ...; empty for other tokens."""
        return self.text.upper() if self.kind == "word" else ""

    def value(self) -> str:
        """What stands between the quotes."""
        quote = self.text[0]
        return self.text[1:-1].replace(quote * 2, quote)


class Source:
    """A filter's text and its tokens, read one after the other."""

    def __init__(self, text: str, where: str) -> None:
        if not isinstance(text, str):
            raise InvalidArgument(f"[{where}] expected text, got {type(text).__name__}")
        if len(text) > MAX_LENGTH:
            raise InvalidArgument(f"[{where}] expected at most {MAX_LENGTH} characters, got {len(text)}")
        self._text, self._where = text, where
        self._tokens = list(self._cut())
        self._next = 0

    def peek(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        token = self._tokens[self._next]
        self._next += token.kind != "end"
        return token

    def take_keyword(self, *words: str) -> str:
        """Take the next token if it is one of these words and return it in capitals, else an empty text."""
        return self.take().keyword if self.peek().keyword in words else ""

    def take_sign(self, *signs: str) -> str:
        token = self.peek()
        return self.take().text if token.kind == "sign" and token.text in signs else ""

    def number(self, token: Token) -> float:
        value = float(token.text)
        if not math.isfinite(value):
            self.fail(token, "expected a number that float64 holds")
        return value

    def expected(self, what: str, token: Token | None = None) -> NoReturn:
        token = token or self.peek()
        found = "the end" if token.kind == "end" else token.text if len(token.text) < 40 else "a long text"
        self.fail(token, f"expected {what}, got {found}")

    def fail(self, token: Token, message: str) -> NoReturn:
        """Raise InvalidArgument with the text around the token and a caret under it."""
        begin = max(0, token.at - _SHOWN)
        shown = self._text[begin : token.at + _SHOWN]
        line = "".join(c if c.isprintable() else "?" for c in re.sub(r"[\t\r\n]", " ", shown))
        raise InvalidArgument(f"[{self._where}] {message}\n  {line}\n  {' ' * (token.at - begin)}^")

    def _cut(self) -> Iterator[Token]:
        at = count = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            here = Token("end", self._text[at : at + 1], at)
            if match is None:
                self.fail(
                    here, "expected the end of a quoted text" if here.text in "'\"`" else "not understood"
                )
            kind, text = str(match.lastgroup), match.group()
            if kind == "text" and not _storable(text):
                self.fail(here, "expected text without the character 0 or half a surrogate pair")
            if kind != "space":
                count += 1
                if count > MAX_TOKENS:
                    self.fail(here, f"expected at most {MAX_TOKENS} words and signs")
                yield Token(kind, text, at)
            at = match.end()
        yield Token("end", "", at)


def _storable(text: str) -> bool:
    """Whether every database can compare with the text."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
