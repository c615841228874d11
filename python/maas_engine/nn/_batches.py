"""Batches that come one after another: generators, loaders, objects with ``__len__`` and ``__getitem__``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from maas_engine.errors import InvalidArgument
from maas_engine.nn._checks import whole_number
from maas_engine.nn._rows import is_frame

Batch = tuple[Any, Any, Any]  # x, y, sample_weight; the last two may be None


class Batches:
    """A source of batches: what users give as x in place of arrays.

    An object with ``__len__`` and ``__getitem__`` gives an epoch by its places, in a shuffled order where asked,
    and its ``on_epoch_end()`` is called after it. An iterable is begun anew each epoch. An iterator goes on where
    it was.

    Parameters
    ----------
    source : iterable
    steps : int, optional
        Batches an epoch. Needed where a source never ends.
    where : str
        For messages.
    """

    def __init__(self, source: Any, steps: int | None, where: str) -> None:
        if steps is not None:
            steps = whole_number(steps, "the number of steps", where)
        self._source, self._where = source, where
        self._by_place = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self._going_on = hasattr(source, "__next__")
        if self._by_place or (hasattr(source, "__len__") and not self._going_on):
            steps = len(source) if steps is None else min(steps, len(source))
        self.steps = steps

    def epoch(self, order: Callable[[int], Any] | None = None) -> Iterator[Batch]:
        """Yield the batches of an epoch; ``order`` gives a permutation of so many places."""
        if self._by_place:
            count = len(self._source)
            places = range(count) if order is None else order(count)
            for place in places[: self.steps]:
                yield self._split(self._source[int(place)])
        else:
            iterator = iter(self._source)
            number = 0
            while number != self.steps:
                try:
                    item = next(iterator)
                except StopIteration:
                    if self.steps is not None:
                        self._warn(number)
                    break
                yield self._split(item)
                number += 1
        getattr(self._source, "on_epoch_end", lambda: None)()

    def _split(self, item: Any) -> Batch:
        if not isinstance(item, (tuple, list)):
            return item, None, None
        if not 1 <= len(item) <= 3:
            raise InvalidArgument(
                f"[{self._where}] expected batches (x, y) or (x, y, weight), got {len(item)} parts"
            )
        return (*item, None, None)[:3]

    def _warn(self, number: int) -> None:
        warnings.warn(
            f"[{self._where}] the input ran out of data after {number} of {self.steps} steps; "
            "an iterator gives its batches once",
            stacklevel=6,
        )


def is_batches(x: Any) -> bool:
    """Whether x gives batches, rather than being rows."""
    if isinstance(x, (list, tuple, dict, str, bytes)) or hasattr(x, "__array__") or is_frame(x):
        return False
    if hasattr(x, "tocsr") or _has_buffer(x):
        return False
    return (
        (hasattr(x, "__getitem__") and hasattr(x, "__len__"))
        or hasattr(x, "__iter__")
        or hasattr(x, "__next__")
    )


def _has_buffer(x: Any) -> bool:
    try:
        memoryview(x)
    except TypeError:
        return False
    return True
