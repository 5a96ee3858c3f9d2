"""Where defects are written: one maker that knows limits, reaches and words, so that every check is only its question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from rivergis import words
from rivergis.boundary.doctor.axes import Axes
from rivergis.boundary.doctor.case import ADVISES, Case, Defect
from rivergis.boundary.doctor.lines import side_of

_SIDE = {1: "left", -1: "right", 0: None}


@dataclass(frozen=True)
class Desk:
    """The case with its axes, and how a defect of it is put down."""

    case: Case
    axes: Axes

    @cached_property
    def bank_words(self) -> dict[int, str]:
        """How these files write left and right."""
        seen = Counter(str(b) for b in self.case.lines["bank"] if b is not None and b in self.case.limits.bank)
        out = {1: "L", -1: "R"}
        for word, _ in reversed(seen.most_common()):
            if side_of(word):
                out[side_of(word)] = word
        return out

    @cached_property
    def _line_id(self) -> Any:
        return self.case.lines["line_id"].to_numpy(object)

    @cached_property
    def _line_bank(self) -> Any:
        return self.case.lines["bank"].to_numpy(object)

    def names(self, *rows: int) -> list[str]:
        """Ids of lines by row."""
        return [str(self._line_id[r]) for r in rows]

    def bank(self, row: int) -> str | None:
        """The bank of a line as its file says it."""
        word = self._line_bank[row]
        return None if word is None else str(word)

    def defect(
        self,
        code: str,
        reach: int,
        side: int,
        span: tuple[float, float],
        place: Any,
        features: Sequence[str],
        measure: float | None = None,
        unit: str = "m",
        *,
        bank: str | None = None,
        layer: str = "lines",
        detail: dict[str, Any] | None = None,
        what: str = "",
    ) -> Defect:
        """A defect with its sentence in both languages. ``side``: +1 left, -1 right, 0 both or none; ``what`` goes into the sentence."""
        bank = bank if bank is not None else self.bank_words.get(side)
        values = {
            "feature": features[0] if features else "",
            "features": ", ".join(features),
            "reach": self.axes.ids[reach] if reach >= 0 else "",
            "bank": bank or "",
            "from_m": f"{span[0]:.0f}",
            "to_m": f"{span[1]:.0f}",
            "measure": "" if measure is None else f"{measure:.3g}" if abs(measure) < 10 else f"{measure:.0f}",
            "what": what,
        }
        zh, en = (words.say(f"boundary_check.said.{code}", lang, **values) for lang in words.LANGS)
        return Defect(
            code=code,
            severity=self.case.limits.severity.get(code, ADVISES),
            reach=self.axes.ids[reach] if reach >= 0 else None,
            bank=bank,
            from_m=float(span[0]),
            to_m=float(span[1]),
            place=shapely.Point(place) if not isinstance(place, shapely.Point) else place,
            features=tuple(features),
            measure=None if measure is None or not np.isfinite(measure) else float(measure),
            unit=unit,
            sentence=en,
            zh=zh,
            side=_SIDE[int(side)],
            layer=layer,
            detail=detail or {},
        )
