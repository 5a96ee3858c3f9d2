"""Which patrols were a visit (巡查到位) of an assigned stretch: proven metres and what entries say, told apart.

A patrol is a visit of a stretch if its covered metres there, on either bank, reach what the rules ask for; an entry without
chainages is one of its whole river. Coverage is no standard: it is asked for here only where a frequency row asks for a share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from rivergis.patrol.frequency import Frequency
from rivergis.patrol.spans import total, union

GPS = "gps"
WHY_NOT = ("mode", "metres", "standard", "review")
# kind of a record -> mode that the rules of a place accept or do not
MODES = {"hand_drawn": "paper", "platform_record": "app"}
COLUMNS = (
    "patrol_id",
    "chief_id",
    "day",
    "at",
    "kind",
    "mode",
    "met",
    "rejected",
    "river_id",
    "bank",
    "from_m",
    "to_m",
)


@dataclass(frozen=True)
class Stretch:
    """An assigned stretch: river, bank, and chainage from and to in metres."""

    river_id: Any
    bank: str
    from_m: float
    to_m: float

    @property
    def length_m(self) -> float:
        return self.to_m - self.from_m


@dataclass(frozen=True)
class Piece:
    """Where a patrol was: along a river, or said to be on all of it (chainage None), or nowhere said (river None)."""

    river_id: Any | None
    bank: str | None
    from_m: float | None
    to_m: float | None


@dataclass(frozen=True)
class Patrol:
    """One patrol of one chief: a scored track (``kind`` gps), or an entry of its kind.

    ``met``: announced standard met; ``rejected``: a person has confirmed a question about the track (复核不予认定).
    """

    id: Any
    day: date
    at: datetime | None
    kind: str
    mode: str
    met: bool | None
    rejected: bool
    pieces: tuple[Piece, ...]

    @property
    def proven(self) -> bool:
        return self.kind == GPS


@dataclass(frozen=True)
class Visit:
    """A patrol seen from a target: metres of it that were visited, and why it does not count (None: it counts)."""

    patrol: Patrol
    metres: float
    why_not: str | None


def until(frame: pd.DataFrame, day: date) -> pd.DataFrame:
    """The rows of patrols up to and with a civil day."""
    return frame.loc[pd.Series([d <= day for d in frame["day"]], frame.index, dtype=bool)]


def patrols(frame: pd.DataFrame) -> dict[Any, list[Patrol]]:
    """Patrols of each chief in the order of days, from a frame (``COLUMNS``) of one row a covered or said stretch."""
    out: dict[Any, dict[Any, list[Any]]] = {}
    for row in frame[list(COLUMNS)].itertuples(index=False):
        out.setdefault(row.chief_id, {}).setdefault(row.patrol_id, []).append(row)
    return {
        chief: sorted((_patrol(rows) for rows in by_id.values()), key=lambda p: (p.day, str(p.id)))
        for chief, by_id in out.items()
    }


def _patrol(rows: Sequence[Any]) -> Patrol:
    first = rows[0]
    pieces = tuple(Piece(_known(r.river_id), _known(r.bank), _known(r.from_m), _known(r.to_m)) for r in rows)
    known = (_known(first.at), first.kind, first.mode, _known(first.met), bool(first.rejected))
    return Patrol(first.patrol_id, first.day, *known, pieces)


def _known(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value


def visits(
    done: Iterable[Patrol],
    target: Sequence[Stretch],
    frequency: Frequency,
    *,
    min_visit_m: float,
    accepted: Sequence[str] | None,
    sole: bool,
) -> list[Visit]:
    """Patrols that were on any stretch of ``target``, with the reason where one does not count.

    ``min_visit_m``: least metres of a visit (rule ``patrol.frequency.min_visit``); a shorter target is visited by its whole
    length. ``accepted``: modes that the rules accept, None = no rule. ``sole``: the chief has no other target, so that a
    record without a place is about this one.
    """
    assigned_m = length_m(target)
    least_m = max(min(min_visit_m, assigned_m), frequency.min_share * assigned_m)
    out = []
    for patrol in done:
        metres = visited_m([patrol], target, sole)
        if metres > 0:
            out.append(Visit(patrol, metres, _why_not(patrol, metres, least_m, frequency, accepted)))
    return out


def _why_not(
    patrol: Patrol, metres: float, least_m: float, frequency: Frequency, accepted: Sequence[str] | None
) -> str | None:
    if patrol.rejected:
        return "review"
    if accepted is not None and MODES.get(patrol.mode, patrol.mode) not in accepted:
        return "mode"
    if metres < least_m - 0.05:  # stored chainages are rounded
        return "metres"
    return "standard" if frequency.effective and patrol.met is False else None


def visited_m(done: Iterable[Patrol], target: Sequence[Stretch], sole: bool) -> float:
    """Metres of the target along its rivers, either bank, that any of the patrols visited; overlaps once."""
    held = _by_river(target)
    found: dict[Any, list[tuple[float, float]]] = {}
    for patrol in done:
        for piece in patrol.pieces:
            if piece.river_id is None:
                if sole:
                    return length_m(target)
                continue
            found.setdefault(piece.river_id, []).extend(_common(piece, held.get(piece.river_id, ())))
    return sum(total(parts) for parts in found.values())


def length_m(target: Sequence[Stretch]) -> float:
    """Metres of stretches along their rivers, overlaps once."""
    return sum(b - a for parts in _by_river(target).values() for a, b in parts)


def _by_river(target: Sequence[Stretch]) -> dict[Any, list[tuple[float, float]]]:
    out: dict[Any, list[tuple[float, float]]] = {}
    for s in target:
        out.setdefault(s.river_id, []).append((s.from_m, s.to_m))
    return {river: list(union(parts)) for river, parts in out.items()}


def _common(piece: Piece, held: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for a, b in held:
        low = a if piece.from_m is None else max(a, piece.from_m)
        high = b if piece.to_m is None else min(b, piece.to_m)
        if low < high:
            yield low, high


def last_seen(done: Iterable[Patrol], stretch: Stretch, min_visit_m: float) -> dict[str, date | None]:
    """Last day on which a track proves each bank of a stretch seen, and the last entry about it: keys left, right, entry."""
    last: dict[str, date | None] = {"left": None, "right": None, "entry": None}
    least_m = min(min_visit_m, stretch.length_m)
    for patrol in done:
        for key in ("left", "right") if patrol.proven else ("entry",):
            if patrol.rejected:
                continue
            parts = [c for p in patrol.pieces if _about(p, stretch, key) for c in _common(p, [_ends(stretch)])]
            if total(parts) >= least_m - 0.05:
                last[key] = max(last[key] or patrol.day, patrol.day)
    return last


def _ends(stretch: Stretch) -> tuple[float, float]:
    return stretch.from_m, stretch.to_m


def _about(piece: Piece, stretch: Stretch, key: str) -> bool:
    return piece.river_id == stretch.river_id and (key == "entry" or piece.bank == key)
