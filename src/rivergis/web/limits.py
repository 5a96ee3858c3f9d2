"""How often one may ask (限流): token buckets for each actor and each address, in the memory of the service.

The rates are rules (``service.limit``): requests a minute and how many may come at once, for each kind of request.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from rivergis import words
from rivergis.errors import TooMany

KEPT = 20_000
"""Buckets that are remembered; the one not asked for longest is forgotten first."""


@dataclass(frozen=True)
class Rate:
    """Requests a minute in the long run, and how many may come at once."""

    per_minute: float
    burst: float


class Limits:
    """The buckets of one service. ``rates``: kind of request -> rate; a kind that is not named is not limited."""

    def __init__(self, rates: Mapping[str, Rate], clock: Callable[[], float] = time.monotonic) -> None:
        self.rates = dict(rates)
        self._clock = clock
        self._lock = Lock()
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def check(self, who: str, kind: str, cost: float = 1.0) -> None:
        """Take ``cost`` requests out of the bucket of an actor or address; ``TooMany`` (429) where it is empty."""
        rate = self.rates.get(kind)
        if rate is None:
            return
        with self._lock:
            now = self._clock()
            left, at = self._buckets.pop((who, kind), (rate.burst, now))
            left = min(rate.burst, left + (now - at) * rate.per_minute / 60)
            enough = left >= cost
            self._buckets[who, kind] = (left - cost if enough else left, now)
            if len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        if not enough:
            wait_s = math.ceil((cost - left) * 60 / rate.per_minute)
            raise TooMany(words.both("sentence.too_many", seconds=wait_s), retry_after_s=wait_s)
