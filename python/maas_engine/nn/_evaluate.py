"""Loss and metrics in inference mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    if len(rows.x) == 0:
        raise InvalidArgument("[evaluate] expected at least one row")
    trainer = session.trainer()
    result = trainer.evaluate(*rows)
    return result.loss + trainer.penalty(), result.metrics


def evaluate_batches(session: Session, batches: Batches, read: Reader) -> tuple[float, Sequence[float]]:
    """Return the loss with its penalties, and the metrics, of all batches together."""
    total: TrainResult | None = None
    for batch in batches.epoch():
        rows = read(*batch)
        result = session.trainer().evaluate(*rows)
        if total is None:
            total = result
        else:
            total.merge(result)
    if total is None:
        raise InvalidArgument("[evaluate] expected at least one batch")
    return total.loss + session.trainer().penalty(), total.metrics


def named_results(names: Sequence[str], loss: float, metrics: Sequence[float]) -> dict[str, float]:
    return dict(zip(names, (loss, *metrics), strict=True))
