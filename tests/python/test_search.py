"""Search filters: what they find, beside the same question asked in Python, and what they refuse."""

from __future__ import annotations

import re
import sqlite3
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registry_rows import DAY, Rows, digest
from sqlalchemy.dialects import postgresql, sqlite

from maas_engine.errors import InvalidArgument
from maas_engine.registry import Registry
from maas_engine.registry._filter import MAX_DEPTH, parse_filter, parse_order
from maas_engine.registry._filter_tokens import MAX_LENGTH, MAX_TOKENS

TIME = 20_000 * DAY  # 2024-10-04


def fill(registry: Registry) -> None:
    rows = Rows()
    rows.add_model("credit", tags={"area": "loans"})
    rows.add(
        "credit", metrics={"auc": 0.7, "f1": 0.5}, tags={"team": "risk-eu", "data set": "a"}, created=TIME
    )
    rows.add(
        "credit", metrics={"auc": 0.8}, tags={"team": "risk-us"}, aliases=["champion"], created=TIME + DAY
    )
    rows.add(
        "credit",
        metrics={"auc": 0.9, "val/auc-2": -1e-3},
        aliases=["challenger", "canary"],
        created=TIME + 2 * DAY,
    )
    rows.add(
        "Churn",
        tags={"team": "100% [x]*?_\\"},
        created_by="bob",
        description='it\'s\na "test"',
        created=TIME + 3 * DAY,
    )
    rows.add(
        "churn", metrics={"auc": 0.8}, tags={"team": "Risk"}, aliases=["champion"], created=TIME + 4 * DAY
    )
    rows.write(registry)


@pytest.fixture
def registry(registry: Registry) -> Registry:
    fill(registry)
    return registry


@pytest.fixture
def small(small_registry: Registry) -> Registry:
    fill(small_registry)
    return small_registry


def found(registry: Registry, filter: str, **options: object) -> list[str]:
    return [f"{each.name}/{each.version}" for each in registry.search(filter, **options)]  # type: ignore[arg-type]


ALL = ["churn/1", "Churn/1", "credit/3", "credit/2", "credit/1"]

FILTERS = {
    "": ALL,
    " \t\n": ALL,
    "name = 'credit'": ["credit/3", "credit/2", "credit/1"],
    'name = "credit"': ["credit/3", "credit/2", "credit/1"],
    "name='credit'AND version>=2": ["credit/3", "credit/2"],
    "name != 'credit'": ["churn/1", "Churn/1"],
    "name <> 'credit'": ["churn/1", "Churn/1"],
    "name LIKE 'c%'": ["churn/1", "credit/3", "credit/2", "credit/1"],
    "name ILIKE 'C%N'": ["churn/1", "Churn/1"],
    "name not like 'c%'": ["Churn/1"],
    "name LIKE '_hurn'": ["churn/1", "Churn/1"],
    "name LIKE '%'": ALL,
    "name LIKE ''": [],
    "name IN ('churn', 'Churn')": ["churn/1", "Churn/1"],
    "name NOT IN ('churn')": ["Churn/1", "credit/3", "credit/2", "credit/1"],
    "version = 3": ["credit/3"],
    "version IN (2, 3)": ["credit/3", "credit/2"],
    "version > 1 AND version < 3": ["credit/2"],
    "metrics.auc > 0.8": ["credit/3"],
    "metrics.auc >= 8e-1": ["churn/1", "credit/3", "credit/2"],
    "metrics.auc = .8": ["churn/1", "credit/2"],
    "metrics.auc != 0.8": ["credit/3", "credit/1"],
    "NOT metrics.auc = 0.8": ["Churn/1", "credit/3", "credit/1"],
    "metrics.auc NOT IN (0.8)": ["credit/3", "credit/1"],
    "metrics.auc > -1": ["churn/1", "credit/3", "credit/2", "credit/1"],
    "metrics.val/auc-2 < +0.0": ["credit/3"],
    "metrics.'auc' > 0": None,  # a key stands in double quotes or backticks
    "metrics.`val/auc-2` < 0": ["credit/3"],
    "metrics.auc > 0.6 AND metrics.f1 = 0.5": ["credit/1"],
    "metrics.nothing < 1": [],
    "tags.team LIKE 'risk%'": ["credit/2", "credit/1"],
    "tags.team ILIKE 'risk%'": ["churn/1", "credit/2", "credit/1"],
    "tags.team NOT LIKE 'risk%'": ["churn/1", "Churn/1"],
    "NOT tags.team LIKE 'risk%'": ["churn/1", "Churn/1", "credit/3"],
    'tags."data set" = \'a\'': ["credit/1"],
    "tags.`data set` = 'a'": ["credit/1"],
    r"tags.team LIKE '100\% [x]*?\_\\'": ["Churn/1"],
    r"tags.team LIKE '100_ [x]%\'": ["Churn/1"],
    r"tags.team ILIKE '%[X]*?\_\\'": ["Churn/1"],
    "tags.team LIKE '%[w-y]%'": [],
    "model_tags.area = 'loans'": ["credit/3", "credit/2", "credit/1"],
    "alias = 'champion'": ["churn/1", "credit/2"],
    "alias != 'champion'": ["Churn/1", "credit/3", "credit/1"],
    "alias IN ('canary', 'challenger')": ["credit/3"],
    "alias NOT IN ('canary', 'champion')": ["Churn/1", "credit/1"],
    "alias LIKE 'c%' AND NOT alias = 'champion'": ["credit/3"],
    "alias NOT LIKE 'ch%'": ["Churn/1", "credit/1"],
    "created > '2024-10-06'": ["churn/1", "Churn/1"],
    "created >= '2024-10-06T00:00:00Z'": ["churn/1", "Churn/1", "credit/3"],
    "created < '2024-10-04T02:00:00+02:00'": [],
    "created <= '2024-10-04T02:00:00+02:00'": ["credit/1"],
    "created_by = 'bob'": ["Churn/1"],
    "description LIKE 'it''s%'": ["Churn/1"],
    'description LIKE "%""test"""': ["Churn/1"],
    f"digest = '{digest('credit/2')}'": ["credit/2"],
    "name = 'churn' OR name = 'credit' AND version = 1": ["churn/1", "credit/1"],
    "(name = 'churn' OR name = 'credit') AND version = 1": ["churn/1", "credit/1"],
    "(name = 'churn' OR name = 'credit') AND version = 2": ["credit/2"],
    "NOT name = 'credit' AND version = 1": ["churn/1", "Churn/1"],
    "NOT (name = 'credit' AND version = 1)": ["churn/1", "Churn/1", "credit/3", "credit/2"],
    "not not name = 'churn'": ["churn/1"],
    "name = 'credit' AND metrics.auc > 0.75 AND tags.team LIKE 'risk%' AND version >= 2 AND alias = 'champion' "
    "AND created > '2024-01-01'": ["credit/2"],
}  # fmt: skip


def test_filters(registry: Registry) -> None:
    wrong = {}
    for filter, expected in FILTERS.items():
        try:
            got = found(registry, filter)
        except InvalidArgument:
            got = None
        if got != expected:
            wrong[filter] = got
    assert wrong == {}


def test_what_is_found_is_whole(registry: Registry) -> None:
    (version,) = registry.search("alias = 'canary'")
    assert (version.name, version.version, version.digest) == ("credit", 3, digest("credit/3"))
    assert version.metrics == {"auc": 0.9, "val/auc-2": -1e-3}
    assert version.aliases == ("canary", "challenger")
    assert registry.search("tags.team = 'Risk'")[0].tags == {"team": "Risk"}
    assert version.manifest.name == "credit"


ORDERS = {
    "name": ["Churn/1", "churn/1", "credit/3", "credit/2", "credit/1"],
    "name DESC, version": ["credit/1", "credit/2", "credit/3", "churn/1", "Churn/1"],
    "metrics.auc": ["credit/1", "churn/1", "credit/2", "credit/3", "Churn/1"],
    "metrics.auc DESC": ["credit/3", "churn/1", "credit/2", "credit/1", "Churn/1"],
    "metrics.f1 desc, created asc": ["credit/1", "credit/2", "credit/3", "Churn/1", "churn/1"],
    "tags.team": ["Churn/1", "churn/1", "credit/1", "credit/2", "credit/3"],
    "tags.`data set`": ["credit/1", "churn/1", "Churn/1", "credit/3", "credit/2"],
    "model_tags.area, version ASC": ["credit/1", "credit/2", "credit/3", "churn/1", "Churn/1"],
    "created": ALL[::-1],
}


def test_orders(registry: Registry) -> None:
    assert {order: found(registry, "", order_by=order) for order in ORDERS} == ORDERS


def test_pages(registry: Registry) -> None:
    assert found(registry, "", limit=2) == ALL[:2]
    assert found(registry, "", limit=2, offset=3) == ALL[3:]
    assert found(registry, "", limit=0) == []
    assert found(registry, "", offset=5) == []


def test_no_pages(small: Registry) -> None:
    for limit in (-1, 1001, True, "1", None):
        with pytest.raises(InvalidArgument, match="limit"):
            small.search(limit=limit)  # type: ignore[arg-type]
    for offset in (-1, 2**31, 0.5):
        with pytest.raises(InvalidArgument, match="offset"):
            small.search(offset=offset)  # type: ignore[arg-type]


# Each with what is expected and the place, as the error shows them.
MISTAKES = {
    "nam = 'x'": ("a field|expected name, version", 0),
    "name": ("expected =, !=", 4),
    "name =": ("expected a text in quotes, got the end", 6),
    "name = 'x": ("the end of a quoted text", 7),
    "name = x": ("a text in quotes, got x", 7),
    "name = 3": ("a text in quotes, got 3", 7),
    "name = `x`": ("a text in quotes", 7),
    "name = 'x' name = 'y'": ("expected AND, OR or the end, got name", 11),
    "name == 'x'": ("a text in quotes, got =", 6),
    "name > 'x'": ("expected =, !=", 0),
    "name = 'x' AND": ("expected a field", 14),
    "name = 'x' AND OR": ("expected", 15),
    "AND name = 'x'": ("expected", 0),
    "(name = 'x'": (r"expected AND, OR or \), got the end", 11),
    "name = 'x')": (r"expected AND, OR or the end, got \)", 10),
    "()": ("expected a field", 1),
    "NOT": ("expected a field", 3),
    "name NOT 'x'": ("expected =", 9),
    "name IN 'x'": (r"expected \( and a list", 8),
    "name IN ()": ("a text in quotes", 9),
    "name IN ('x',)": ("a text in quotes", 13),
    "name IN ('x' 'y')": (r"expected , or \)", 13),
    "name LIKE 3": ("a text in quotes", 10),
    "version LIKE '1%'": ("a field of text before LIKE", 0),
    "version = 1.5": ("a version's number", 10),
    "version = 99999999999": ("a version's number", 10),
    "version = '1'": ("a version's number", 10),
    "version = 1e999": ("a number that float64 holds", 10),
    "metrics = 1": ("expected name, version", 0),
    "metrics. = 1": ("not understood", 7),
    "metrics.auc > 'a'": ("a number", 14),
    "metrics.auc > nan": ("a number, got nan", 14),
    "metrics.auc LIKE 'a'": ("a field of text", 0),
    "name.x = 'a'": ("expected name, version", 0),
    "parameters.x = 'a'": ("expected name, version", 0),
    "created = '2026-01-01'": ("expected <, <=", 0),
    "created IN ('2026-01-01')": ("expected <, <=", 0),
    "created > '2026-13-01'": ("a time like", 10),
    "created > 'now'": ("a time like", 10),
    "created > 2026": ("a time like", 10),
    "name = 'x'; DROP TABLE models": ("not understood", 10),
    "name = 'x' -- more": ("not understood", 11),
    "name = 'x' UNION SELECT id FROM tokens": ("expected AND, OR or the end, got UNION", 11),
    "tokens.secret_hash = 'x'": ("expected name, version", 0),
    "models.name = 'x'": ("expected name, version", 0),
    "1 = 1": ("expected a field", 0),
    "'a' = 'a'": ("expected a field", 0),
    "name = 'a\0'": ("without the character 0", 7),
    "name = '\ud800'": ("half a surrogate pair", 7),
    "name = 'é' AND ñame = 'x'": ("not understood", 15),
}


@pytest.mark.parametrize("filter", MISTAKES)
def test_mistakes(filter: str) -> None:
    expected, place = MISTAKES[filter]
    with pytest.raises(InvalidArgument, match=expected) as caught:
        parse_filter(filter, "sqlite")
    message = str(caught.value)
    assert message.startswith("[search] expected" if "not understood" not in expected else "[search] not")
    *_, shown, caret = message.split("\n")
    assert caret.index("^") == 2 + place
    assert re.sub(r"[\0\ud800]", "?", filter) == shown[2:]


@pytest.mark.parametrize(
    ("order", "place"),
    [("alias", 0), ("name,", 5), ("name version", 5), ("name ASC DESC", 9), ("nam", 0), ("name; DROP", 4), ("3", 0),
     ("(SELECT 1)", 0), ("name = 'x'", 5)],
)  # fmt: skip
def test_order_mistakes(order: str, place: int) -> None:
    with pytest.raises(InvalidArgument, match="search order") as caught:
        parse_order(order, "sqlite")
    assert str(caught.value).split("\n")[-1].index("^") == 2 + place


def test_a_far_mistake_shows_its_surroundings_alone() -> None:
    filter = (
        " AND ".join(["name\n=\t'x'"] * 100) + " AND wrong = 'x' AND " + " AND ".join(["name = 'x'"] * 20)
    )
    with pytest.raises(InvalidArgument) as caught:
        parse_filter(filter, "sqlite")
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) <= 122
    assert shown[caret.index("^") :].startswith("wrong = 'x'")


@pytest.mark.parametrize("filter", [None, b"name = 'x'", 3, ["name = 'x'"]])
def test_no_text(filter: str) -> None:
    for parse in (parse_filter, parse_order):
        with pytest.raises(InvalidArgument, match="expected text"):
            parse(filter, "sqlite")


def nested(depth: int) -> list[str]:
    return ["(" * depth + "name = 'churn'" + ")" * depth, "NOT " * depth + "name = 'churn'"]


def test_limits(small: Registry) -> None:
    for filter in nested(MAX_DEPTH):
        assert found(small, filter) == ["churn/1"]
    for filter in [*nested(MAX_DEPTH + 1), *nested(500)]:
        with pytest.raises(InvalidArgument, match=r"at most 32 parentheses|at most 512 words"):
            small.search(filter)
    many = " OR ".join(["version=1"] * 128)
    assert len(found(small, many)) == 3
    with pytest.raises(InvalidArgument, match=f"at most {MAX_TOKENS} words"):
        small.search(many + " OR version=2")
    assert len(found(small, "version IN (" + ",".join(["1"] * 250) + ")")) == 3
    assert found(small, "name = '" + "x" * (MAX_LENGTH - 9) + "'") == []
    for long in ["name = '" + "x" * (MAX_LENGTH - 8) + "'", "(" * 10_000_000]:
        with pytest.raises(InvalidArgument, match=f"at most {MAX_LENGTH} characters"):
            small.search(long)


INJECTIONS = ["x' OR '1'='1", "x'; DROP TABLE models; --", 'x" OR "1"="1', "x\\' OR 1=1 --", "%' OR name LIKE '%",
              "x') OR 1=1 --", "$1", ":name", "?", "%s;", "%(name)s", "/*", "\\"]  # fmt: skip


def test_values_and_keys_are_no_sql(registry: Registry) -> None:
    for text in INJECTIONS:
        value = "'" + text.replace("'", "''") + "'"
        for comparison in ("=", "LIKE", "ILIKE"):
            for field in ("name", "tags.team", "alias"):
                assert found(registry, f"{field} {comparison} {value}") == []
        assert found(registry, f"name IN ({value}, {value})") == []
        key = '"' + text.replace('"', '""') + '"'
        assert found(registry, f"metrics.{key} = 0 OR tags.{key} = 'x' OR model_tags.{key} = 'x'") == []
        assert found(registry, "", order_by=f"metrics.{key} DESC, tags.{key}") == ALL
    assert found(registry, "") == ALL  # nothing was dropped


@pytest.mark.parametrize(
    "filter", [filter for filter, expected in FILTERS.items() if filter.strip() and expected]
)
def test_all_values_are_parameters(filter: str) -> None:
    """What a user wrote between quotes, and every number, is bound: SQL holds names of ours alone."""
    values = re.findall(r"'((?:[^']|'')+)'|(?<![\w.\"`/-])([0-9.e-]{3,})", filter)
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        condition = parse_filter(filter, dialect.name)
        sql = str(condition.compile(dialect=dialect))  # type: ignore[union-attr]
        for value in (text or number for text, number in values):
            assert f"'{value}'" not in sql
            assert value not in re.findall(r"[\w.]+", sql) or value in ("version", "name")


@pytest.mark.parametrize(
    "filter",
    ["version = " + "1" * 4000 + "a", "version = " + "1." * 2000, "'" * 4095, "a" * 4000 + "$", "a." * 2000 + "$",
     "tags." + "a." * 2000 + "$", "name = '" + "''" * 2000, "-" * 4000, "1e" * 2000, " " * 4000 + "$", "`" * 4095],
)  # fmt: skip
def test_a_hostile_text_is_refused_at_once(filter: str) -> None:
    """In milliseconds: cutting it into tokens never goes back and forth."""
    begun = time.process_time()
    with pytest.raises(InvalidArgument):
        parse_filter(filter, "sqlite")
    assert time.process_time() - begun < 5  # back and forth, it would be minutes


def test_a_hostile_pattern_is_quick(small: Registry) -> None:
    with small.database.write() as connection:
        connection.exec_driver_sql("UPDATE versions SET description = ?", ("a" * 16_000,))
    pattern = "%a" * 100 + "%b"
    assert found(small, f"description LIKE '{pattern}' OR description ILIKE '{pattern}'") == []


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                ["name", "version", "metrics.auc", "tags.", "alias", "created", "AND", "OR", "NOT", "IN", "LIKE", "(",
                 ")", ",", "=", "!=", "<", ">=", "'x'", '"y"', "`z`", "1", "-2.5", "'2026-01-01'", ".", "'", '"']
            ),
            max_size=20,
        ).map(" ".join),
    )
)  # fmt: skip
def test_any_text_is_understood_or_refused(text: str) -> None:
    for parse in (parse_filter, parse_order):
        try:
            parsed = parse(text, "sqlite")
        except InvalidArgument:
            continue
        for each in parsed if isinstance(parsed, list) else [parsed]:
            if each is not None:
                compiled = str(each.compile(dialect=sqlite.dialect()))
                assert sqlite3.complete_statement(f"SELECT {compiled};")
