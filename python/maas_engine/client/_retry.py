"""How long a call may take, and what of it is tried again."""

from __future__ import annotations

import random
import time

from maas_engine.errors import DeadlineExceeded, InvalidArgument, MaasError, Overloaded, Unavailable

_FIRST_WAIT = 0.05  # seconds; doubled each time
_LONGEST_WAIT = 2.0
_LONGEST_ASKED = 30.0  # of a Retry-After that is followed


class Deadline:
    """The end of a call on the monotonic clock, or none."""

    def __init__(self, timeout: float | None) -> None:
        if timeout is not None and not timeout > 0:
            raise InvalidArgument(f"[client] expected a timeout above 0 seconds, got {timeout!r}")
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds; None without end.

        Raises
        ------
        DeadlineExceeded : none are left.
        """
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise passed()
        return left

    def microseconds(self) -> int | None:
        left = self.left()
        return None if left is None else max(1, int(1e6 * left))


def passed() -> DeadlineExceeded:
    return DeadlineExceeded("[client] the deadline passed before the answer was whole")


class Retries:
    """The further tries of one call. Only of what the server cannot have answered, or refused as overloaded."""

    def __init__(self, limit: int, deadline: Deadline) -> None:
        self._left, self._deadline, self._wait = limit, deadline, _FIRST_WAIT

    def wait(self, error: MaasError, retry_after: float | None = None) -> float:
        """Return the seconds to wait before the next try.

        Raises
        ------
        MaasError : ``error``, where there is none: enough were made, or the wait would pass the deadline.
        """
        if not isinstance(error, (Overloaded, Unavailable)) or self._left <= 0:
            raise error
        if retry_after is not None and retry_after > _LONGEST_ASKED:
            raise error
        self._left -= 1
        # Half of it by chance, so that callers who failed together do not come back together.
        wait = self._wait * random.uniform(0.5, 1.0) + (retry_after or 0.0)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)
        left = self._deadline.left()
        if left is not None and wait >= left:
            raise error
        return wait
