"""Finding versions by what is known of them."""

from __future__ import annotations

from sqlalchemy import select

from maas_engine.errors import InvalidArgument
from maas_engine.registry import _tables as t
from maas_engine.registry._base import RegistryBase
from maas_engine.registry._filter import parse_filter, parse_order
from maas_engine.registry._version import Version, build, select_versions

MAX_LIMIT = 1000


class Searching(RegistryBase):
    """Search for versions."""

    def search(
        self, filter: str = "", *, order_by: str = "", limit: int = 100, offset: int = 0
    ) -> list[Version]:
        """Return the versions of all models that a filter fits, the newest first unless ``order_by`` says else.

        Parameters
        ----------
        filter : str
            Comparisons joined by AND, OR, NOT and parentheses: ``name = 'credit' AND metrics.auc > 0.8``.

            ============================================  =====================================================
            name, created_by, description, digest         text: ``=``, ``!=``, ``LIKE``, ``ILIKE``, ``IN``
            tags.KEY, model_tags.KEY                      the same, of a version's tags and of its model's
            alias                                         the same, of the aliases that point to the version
            version, metrics.KEY                          numbers: ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``IN``
            created                                       times in ISO 8601, UTC: ``<``, ``<=``, ``>``, ``>=``
            ============================================  =====================================================

            Text stands in quotes, doubled inside; keys with other characters than letters, digits and ``_ . / -``
            too: ``tags."data set"``. In patterns ``%`` stands for any text and ``_`` for one character; ILIKE takes
            letters of either case (on SQLite of A to Z alone). A version without a tag or metric fits neither
            ``tags.team = 'risk'`` nor ``tags.team != 'risk'``, but ``NOT tags.team = 'risk'``;
            ``alias != 'champion'`` fits one that does not have that alias.
        order_by : str
            Fields but alias, each with ASC or DESC after it: ``metrics.auc DESC, name``. What lacks them comes
            last, what is equal the newest first.
        limit : int
            At most `MAX_LIMIT`.
        offset : int
            How many to leave out.

        Raises
        ------
        InvalidArgument : with a caret under the place that is not understood.
        """
        _check_count("limit", limit, MAX_LIMIT)
        _check_count("offset", offset, 2**31 - 1)
        with self.database.read() as connection:
            dialect = connection.dialect.name
            condition, order = parse_filter(filter, dialect), parse_order(order_by, dialect)
            # First which, by narrow rows: sorting whole ones is slow.
            query = select(t.versions.c.id)
            if condition is not None:
                query = query.where(condition)
            query = query.order_by(*order, t.versions.c.id.desc()).limit(limit).offset(offset)
            ids = list(connection.scalars(query))
            rows = connection.execute(select_versions().where(t.versions.c.id.in_(ids))).all()
            place = {id: i for i, id in enumerate(ids)}
            return build(connection, sorted(rows, key=lambda row: place[row.id]))


def _check_count(name: str, count: int, largest: int) -> None:
    if type(count) is not int or not 0 <= count <= largest:
        raise InvalidArgument(f"[search] expected {name} of 0 to {largest}, got {str(count)[:40]}")
