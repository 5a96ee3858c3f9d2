"""Where in the order of its rows a far page begins, remembered: so that a page 400,000 rows deep costs what the first one costs.

For rows of one kind (collection, scope, days, filter) every ``STEP``-th row's number is kept; it holds as long as the
collection stays as it is.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

STEP = 64
FAR = 512
"""Offsets from which it is worth while; nearer rows are counted off."""
_MOST_NUMBERS = 2_000_000


@dataclass(frozen=True)
class Marks:
    """Numbers of the rows STEP, 2 STEP … (counted from 1), how many rows there are, and the state in which it was so."""

    numbers: array[int]
    total: int
    state: tuple[int, ...]

    def start(self, offset: int) -> tuple[int | None, int]:
        """Behind which row a page at ``offset`` begins, and how many further on."""
        whole, rest = divmod(min(offset, self.total), STEP)
        whole = min(whole, len(self.numbers))
        return (self.numbers[whole - 1] if whole else None), rest


class Memory:
    """The marks of one service; the ones not asked for longest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: LRUCache[Hashable, Marks] = LRUCache(_MOST_NUMBERS, getsizeof=lambda m: 64 + len(m.numbers))

    def get(self, key: Hashable, state: tuple[int, ...]) -> Marks | None:
        """The marks, if the collection is still in that state."""
        with self._lock:
            marks = self._kept.get(key)
        return marks if marks is not None and marks.state == state else None

    def keep(self, key: Hashable, numbers: Sequence[int], total: int, state: tuple[int, ...]) -> Marks:
        """Remember the numbers of every ``STEP``-th row."""
        marks = Marks(array("q", numbers), total, state)
        with self._lock:
            if 64 + len(numbers) <= _MOST_NUMBERS:
                self._kept[key] = marks
        return marks
