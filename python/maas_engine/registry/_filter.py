"""Search filters: text to bound SQLAlchemy expressions. No part of the text reaches SQL but as a parameter.

filter     = all {"OR" all}
all        = one {"AND" one}
one        = "NOT" one | "(" filter ")" | comparison
comparison = field ("=" | "!=" | "<" | "<=" | ">" | ">=") value
           | field ["NOT"] ("LIKE" | "ILIKE") text
           | field ["NOT"] "IN" "(" value {"," value} ")"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_

from maas_engine.registry._filter_fields import TEXT, Field, find_field
from maas_engine.registry._filter_tokens import Source, Token

MAX_DEPTH = 32  # parentheses and NOTs within each other

Condition = ColumnElement[bool]

_SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=")


def parse_filter(text: str, dialect: str) -> Condition | None:
    """The condition that a filter states about rows of versions; None without one.

    Parameters
    ----------
    text : str
    dialect : {"sqlite", "postgresql"}

    Raises
    ------
    InvalidArgument : with a caret under the place that is not understood.
    """
    source = Source(text, "search")
    if source.peek().kind == "end":
        return None
    condition = _Parser(source, dialect).any_of(0)
    if source.peek().kind != "end":
        source.expected("AND, OR or the end")
    return condition


def parse_order(text: str, dialect: str) -> list[ColumnElement[Any]]:
    """The columns to sort by: fields with ASC or DESC after them, separated by commas; what is missing comes last."""
    source = Source(text, "search order")
    order: list[ColumnElement[Any]] = []
    while source.peek().kind != "end":
        if order and not source.take_sign(","):
            source.expected("a comma or the end")
        token = source.peek()
        column = take_field(source).order(dialect)
        if column is None:
            source.fail(token, "expected a field with one value a version")
        down = source.take_keyword("ASC", "DESC") == "DESC"
        order.append((column.desc() if down else column.asc()).nulls_last())
    return order


def take_field(source: Source) -> Field:
    """Read a field's name: ``version``, ``metrics.auc``, ``tags."data set"``."""
    token = source.take()
    if token.kind != "word":
        source.expected("a field such as name, version or metrics.auc", token)
    group, dot, key = token.text.partition(".")
    if source.peek().kind == "prefix":
        source.take()
        quoted = source.take()
        group, dot, key = token.text, ".", quoted.value()
    field = find_field(group, key if dot else None)
    if field is None:
        source.expected(
            "name, version, alias, created, created_by, description, digest, metrics.KEY, tags.KEY or model_tags.KEY",
            token,
        )
    return field


class _Parser:
    """One filter being read, by recursive descent."""

    def __init__(self, source: Source, dialect: str) -> None:
        self._source, self._dialect = source, dialect

    def any_of(self, depth: int) -> Condition:
        return self._joined("OR", or_, self._all_of, depth)

    def _all_of(self, depth: int) -> Condition:
        return self._joined("AND", and_, self._one, depth)

    def _joined(
        self, word: str, join: Callable[..., Condition], part: Callable[[int], Condition], depth: int
    ) -> Condition:
        parts = [part(depth)]
        while self._source.take_keyword(word):
            parts.append(part(depth))
        return parts[0] if len(parts) == 1 else join(*parts)

    def _one(self, depth: int) -> Condition:
        token = self._source.peek()
        if depth > MAX_DEPTH:
            self._source.fail(token, f"expected at most {MAX_DEPTH} parentheses and NOTs within each other")
        if self._source.take_keyword("NOT"):
            return not_(self._one(depth + 1))
        if not self._source.take_sign("("):
            return self._comparison()
        inner = self.any_of(depth + 1)
        if not self._source.take_sign(")"):
            self._source.expected("AND, OR or )")
        return inner

    def _comparison(self) -> Condition:
        source = self._source
        token = source.peek()
        field = take_field(source)
        if sign := source.take_sign(*_SIGNS):
            sign = "!=" if sign == "<>" else sign
            if sign not in field.kind.signs:
                source.fail(token, f"expected {', '.join(field.kind.signs)} after this field, got {sign}")
            return field.compare(sign, self._value(field))
        negated = bool(source.take_keyword("NOT"))
        word = source.take_keyword("LIKE", "ILIKE", "IN")
        if word == "IN":
            if "=" not in field.kind.signs:
                source.fail(token, f"expected {', '.join(field.kind.signs)} after this field, got IN")
            return field.one_of(self._values(field), negated)
        if not word:
            source.expected("=, !=, <, >, LIKE or IN")
        if field.kind is not TEXT:
            source.fail(token, f"expected a field of text before {word}")
        pattern = source.take()
        if pattern.kind != "text":
            source.expected("a text in quotes", pattern)
        return field.like(pattern.value(), word == "ILIKE", negated, self._dialect)

    def _values(self, field: Field) -> list[Any]:
        source = self._source
        if not source.take_sign("("):
            source.expected("( and a list of values")
        values = [self._value(field)]
        while source.take_sign(","):
            values.append(self._value(field))
        if not source.take_sign(")"):
            source.expected(", or )")
        return values

    def _value(self, field: Field) -> Any:
        token = self._source.take()
        raw = self._raw(token)
        value = None if raw is None else field.kind.read(raw)
        if value is None:
            self._source.expected(field.kind.what, token)
        return value

    def _raw(self, token: Token) -> str | float | None:
        if token.kind == "number":
            return self._source.number(token)
        return token.value() if token.kind == "text" and token.text[0] != "`" else None
