"""Loss and metrics in inference mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from maas_engine._core import TrainResult
from maas_engine.errors import InvalidArgument
from maas_engine.nn._batches import Batches
from maas_engine.nn._rows import Rows

if TYPE_CHECKING:
    from maas_engine.nn._session import Session

Reader = Callable[[Any, Any, Any], Rows]


def evaluate_rows(session: Session, rows: Rows) -> tuple[float, Sequence[float]]:
    """Return the loss with its penalties, and the metrics."""
    n = len(rows.x)
    if n == 0:
        raise InvalidArgument("[evaluate] expected at least one row")
    if rows.readable:
        return _evaluate(session, (rows,))
    blocks = (rows.part(first, first + rows.block) for first in range(0, n, rows.block))
    return _evaluate(session, (block.converted(None) for block in blocks))


def evaluate_batches(session: Session, batches: Batches, read: Reader) -> tuple[float, Sequence[float]]:
    """Return the loss with its penalties, and the metrics, of all batches together."""
    return _evaluate(session, (read(*batch) for batch in batches.epoch()))


def _evaluate(session: Session, parts: Iterable[Rows]) -> tuple[float, Sequence[float]]:
    total: TrainResult | None = None
    for rows in parts:
        result = session.trainer().evaluate(rows.x, rows.y, rows.weight)
        if total is None:
            total = result
        else:
            total.merge(result)
    if total is None:
        raise InvalidArgument("[evaluate] expected at least one batch")
    return total.loss + session.trainer().penalty(), total.metrics


def named_results(names: Sequence[str], loss: float, metrics: Sequence[float]) -> dict[str, float]:
    return dict(zip(names, (loss, *metrics), strict=True))
