"""When to try again, and how long to wait before: exponential backoff with full jitter.

Waiting a random share of a doubling interval keeps many workers from coming back all at
once. A server that says how long to wait is believed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from handan.traces.errors import EngineError

_TRY_AGAIN = frozenset({408, 409, 425, 429})


def may_succeed_later(status: int) -> bool:
    """Tell whether the same request may succeed later: time-outs, conflicts, limits, server errors."""
    return status in _TRY_AGAIN or 500 <= status <= 599


def asked_to_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read how long a server asks to wait.

    Parameters
    ----------
    headers : mapping
        Of the reply; names in lower case, or a mapping that does not mind.
    now : datetime, optional
        Against which a date is read; by default the present.

    Returns
    -------
    float or None
        Seconds, 0 or above; None where the server does not say, or not in a known form.
    """
    in_milliseconds = _number(headers.get("retry-after-ms"))
    if in_milliseconds is not None:
        return in_milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is not None or said is None:
        return seconds
    try:
        date = parsedate_to_datetime(said)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max((date - (now or datetime.now(UTC))).total_seconds(), 0.0)


@dataclass(frozen=True)
class Backoff:
    """How often and how patiently a request is tried.

    Parameters
    ----------
    max_attempts : int
        Tries in all.
    max_wait : float
        Seconds that one request may spend waiting between its tries, in all.
    base, cap : float
        Seconds: the first interval, and the longest one.
    """

    max_attempts: int = 6
    max_wait: float = 600.0
    base: float = 1.0
    cap: float = 60.0
    _random: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise EngineError(f"the number of attempts must be at least 1, not {self.max_attempts}")
        if not (0 <= self.base <= self.cap < float("inf") and self.max_wait >= 0):
            raise EngineError("waiting times must be 0 or above, and the first at most the longest")

    def wait(self, tries: int, asked: float | None = None) -> float:
        """Seconds to wait after a failed try.

        Parameters
        ----------
        tries : int
            Tries so far, at least 1.
        asked : float, optional
            What the server asked for; then never less.
        """
        if asked is not None:
            return asked + self._random.uniform(0, self.base)
        return self._random.uniform(0, min(self.cap, self.base * 2 ** min(tries - 1, 60)))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
