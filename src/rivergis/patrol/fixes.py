"""定位点 fixes of one track as arrays in time order: what cleaning, matching and the authenticity checks hand each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

USED, REPEAT, JUMP, POOR_ACCURACY, NO_TIME = 0, 1, 2, 3, 4
MARKS = ("", "repeat", "jump", "poor_accuracy", "no_time")


@dataclass(frozen=True)
class Clock:
    """How the times of the phone were repaired: seconds taken off them, and why.

    ``basis``: ``phone`` (taken as they are), ``received`` (median of server receive time less phone time), or ``local_as_utc``
    (exactly eight hours: local time written as UTC).
    """

    offset_s: float = 0.0
    basis: str = "phone"


@dataclass(frozen=True, eq=False)
class Fixes:
    """Fixes of one track, ordered by repaired time (by the file where no fix has one); nothing is left out, only marked.

    All arrays have shape (n,). ``seq``: position in the file; ``t_s``: seconds since 1970 UTC after the repair of the clock,
    NaN where the file has no time; ``lon``, ``lat``: degrees in the datum they were read in; ``acc_m``, ``speed_ms``: as the
    phone said, NaN where missing; ``mark``: ``USED`` or why the fix is not used (see ``MARKS``).
    """

    seq: Ints
    t_s: Floats
    lon: Floats
    lat: Floats
    acc_m: Floats
    speed_ms: Floats
    mark: npt.NDArray[np.int8]
    clock: Clock = Clock()

    def __len__(self) -> int:
        return len(self.seq)

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Which fixes carry no mark."""
        return np.asarray(self.mark == USED)

    @property
    def timed(self) -> bool:
        """Whether the track has times; fixes without one are then marked and stand last."""
        return bool(np.isfinite(self.t_s).any())

    def take(self, which: Any) -> Fixes:
        """The fixes at these positions or under this mask, in the same order."""
        names = ("seq", "t_s", "lon", "lat", "acc_m", "speed_ms", "mark")
        return replace(self, **{name: getattr(self, name)[which] for name in names})
