"""Official chainage (官方桩号): a river's own figures, which may count from the mouth, start elsewhere, or be stretched.

``Axis`` measures metres from its upstream end; stakes of known official chainage tie those metres to the figures on
signs and in permits. A chain break (断链: K12+345.00=K12+400.00) is a stake with two figures. Stored in
``data.axis.calibration`` as ``[]`` (none) or

    {"direction": "down" | "up", "pattern": "K0+000",
     "points": [{"at_m": 0.0, "official_m": 12000.0},
                {"at_m": 345.0, "official_m": 12345.0, "ahead_m": 12400.0}]}

``at_m`` is the chainage of ``Axis`` (with its ``origin_m``), ``official_m`` the official figure there, ``ahead_m`` at a chain
break the figure that counting goes on with downstream of it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from rivergis.errors import InputError, UsageError
from rivergis.river.chainage import PATTERN, label, parse

DIRECTIONS = ("down", "up")
_BEFORE, _AFTER = "断前", "断后"
_SIDE = re.compile(rf"\s*\(?({_BEFORE}|{_AFTER})\)?\s*$")
_CLOSE_M = 1e-6  # figures equal but for rounding


@dataclass(frozen=True)
class Stake:
    """A point of known official chainage: measured ``at_m``, official figure, and after a chain break the figure ahead."""

    at_m: float
    official_m: float
    ahead_m: float | None = None

    @property
    def onward_m(self) -> float:
        """The figure that counting goes on with downstream."""
        return self.official_m if self.ahead_m is None else self.ahead_m

    @property
    def is_break(self) -> bool:
        return self.ahead_m is not None

    def as_dict(self) -> dict[str, float]:
        out = {"at_m": self.at_m, "official_m": self.official_m}
        return out if self.ahead_m is None else {**out, "ahead_m": self.ahead_m}


@dataclass(frozen=True)
class Calibration:
    """Measured to official chainage and back: linear between stakes, metre for metre beyond the outer ones.

    ``direction``: 'down' where official figures grow downstream, 'up' where they count from the mouth. No stakes: the
    official figure is the measured one. Raises ``InputError``, naming both, for two stakes that contradict each other.
    """

    stakes: tuple[Stake, ...] = ()
    direction: str = "down"
    pattern: str = PATTERN

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise InputError(
                f"A calibration counts 'down' or 'up', not {self.direction!r}; say which way figures grow."
            )
        if self.direction == "up" and not self.stakes:
            raise InputError("A river that counts upstream needs a stake of known chainage, such as 0 at the mouth.")
        label(0.0, self.pattern)
        object.__setattr__(self, "stakes", tuple(sorted(self.stakes, key=lambda s: s.at_m)))
        for stake in self.stakes:
            if not all(map(math.isfinite, (stake.at_m, stake.official_m, stake.onward_m))):
                raise InputError(f"The stake {stake.as_dict()} holds a figure that is no number; correct or remove it.")
        for one, next_ in pairwise(self.stakes):
            self._agree(one, next_)

    def _agree(self, one: Stake, two: Stake) -> None:
        grows = self._sign * (two.official_m - one.onward_m)
        if two.at_m - one.at_m > _CLOSE_M and grows > _CLOSE_M:
            return
        way = "grow" if self.direction == "down" else "fall"
        raise InputError(
            f"Official chainage {label(two.official_m, self.pattern)} at measured {label(two.at_m)} contradicts "
            f"{label(one.onward_m, self.pattern)} at measured {label(one.at_m)}: figures must {way} downstream; correct one "
            "of the two stakes, or enter a chain break (ahead_m) where counting starts anew."
        )

    @property
    def _sign(self) -> int:
        return 1 if self.direction == "down" else -1

    @cached_property
    def _legs(self) -> tuple[list[tuple[float, float, float, float]], list[float]]:
        """Straight pieces as (measured from, to, official from, to), the outer ones endless, and where they begin."""
        if not self.stakes:
            return [(0.0, 1.0, 0.0, 1.0)], []
        first, last = self.stakes[0], self.stakes[-1]
        legs = [
            (first.at_m - 1.0, first.at_m, first.official_m - self._sign, first.official_m),
            *((a.at_m, b.at_m, a.onward_m, b.official_m) for a, b in pairwise(self.stakes)),
            (last.at_m, last.at_m + 1.0, last.onward_m, last.onward_m + self._sign),
        ]
        return legs, [s.at_m for s in self.stakes]

    def official(self, at_m: float) -> float:
        """Official chainage in metres of a measured one; at a chain break the figure ahead (downstream)."""
        return self._official(at_m, self._leg_of(at_m))

    def _leg_of(self, at_m: float) -> int:
        return int(np.searchsorted(self._legs[1], at_m, side="right"))

    def _official(self, at_m: float, leg: int) -> float:
        a, b, u, v = self._legs[0][leg]
        return _line(at_m, a, b, u, v)

    def _all_measured(self, official_m: float) -> list[float]:
        """Every place with that official figure, upstream first."""
        legs, starts = self._legs
        ends = [-math.inf, *starts, math.inf]
        found: list[float] = []
        for i, (a, b, u, v) in enumerate(legs):
            at = _line(official_m, u, v, a, b)
            if ends[i] - _CLOSE_M <= at <= ends[i + 1] + _CLOSE_M:
                at = min(max(at, ends[i]), ends[i + 1])
                found += [] if found and at - found[-1] <= 2 * _CLOSE_M else [at]
        return found

    def measured(self, official_m: float, side: str | None = None) -> float:
        """Measured chainage of an official one, in metres.

        A long chain (长链) has figures that stand twice: ``side`` '断前' (upstream of the break) or '断后' says which.
        ``UsageError`` for a figure that a short chain (短链) leaves out, or that stands twice without ``side``.
        """
        places = self._all_measured(official_m)
        written = label(official_m, self.pattern)
        if not places:
            raise UsageError(
                f"There is no {written} on this river: the chain break {self._missing(official_m)} leaves it out."
            )
        if len(places) > 2 or (len(places) == 2 and side is None):
            where = ", ".join(label(p) for p in places)
            raise UsageError(
                f"{written} stands {len(places)} times on this river, at measured {where}: add {_BEFORE} for the one upstream "
                f"of the chain break or {_AFTER} for the one downstream, or give the measured chainage."
            )
        return places[-1] if side == _AFTER else places[0]

    def _missing(self, official_m: float) -> str:
        breaks = [s for s in self.stakes if s.is_break]
        return self.equation(min(breaks, key=lambda s: abs((s.official_m + s.onward_m) / 2 - official_m)))

    def label(self, at_m: float) -> str:
        """Official label of a measured chainage; where the figure stands twice, with 断前 or 断后."""
        official = self.official(at_m)
        places = self._all_measured(official)
        written = label(official, self.pattern)
        if len(places) < 2:
            return written
        return f"{written}({_BEFORE if abs(places[0] - at_m) < abs(places[-1] - at_m) else _AFTER})"

    def parse(self, text: str) -> float:
        """Measured chainage of an official label, 断前 or 断后 after it where the figure stands twice."""
        text = unicodedata.normalize("NFKC", text)
        side = _SIDE.search(text)
        return self.measured(parse(text[: side.start()] if side else text), side[1] if side else None)

    def equation(self, stake: Stake) -> str:
        """A chain break as it is written: 'K12+345.00=K12+400.00(短链55.00 m)'.

        Short (短链): figures are left out, the river is shorter than they say; long (长链): figures stand twice.
        """
        form = re.sub(r"(?:\.0+)?$", ".00", self.pattern)
        jump = self._sign * (stake.onward_m - stake.official_m)
        kind = "短链" if jump > 0 else "长链"
        return f"{label(stake.official_m, form)}={label(stake.onward_m, form)}({kind}{abs(jump):.2f} m)"

    def breaks(self) -> list[str]:
        """All chain breaks of the river as they are written, upstream first."""
        return [self.equation(s) for s in self.stakes if s.is_break]

    def as_json(self) -> dict[str, Any]:
        """The form stored in ``data.axis.calibration``."""
        points = [s.as_dict() for s in self.stakes]
        return {"direction": self.direction, "pattern": self.pattern, "points": points}

    @classmethod
    def from_json(cls, stored: dict[str, Any] | Sequence[Any]) -> Calibration:
        """A calibration as stored; ``[]`` is none. ``InputError`` for any other form."""
        if not isinstance(stored, dict):
            if len(stored):
                raise InputError(
                    "A calibration is [] or an object with direction, pattern and points; correct the axis."
                )
            return cls()
        try:
            stakes = tuple(Stake(**{k: float(v) for k, v in p.items()}) for p in stored.get("points", []))
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(
                "A point of a calibration has the figures at_m, official_m and, at a chain break, ahead_m; correct the axis."
            ) from error
        return cls(stakes, stored.get("direction", "down"), stored.get("pattern", PATTERN))


def _line(x: float, a: float, b: float, u: float, v: float) -> float:
    """Linear from a..b to u..v, exact at both ends and reckoned from the nearer one."""
    slope = (v - u) / (b - a)
    return u + (x - a) * slope if abs(x - a) <= abs(x - b) else v + (x - b) * slope
