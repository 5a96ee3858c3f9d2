"""轨迹待核实 of one scored track: everything about it that a person should look at, from its datum to its likeness to others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rivergis.patrol import authenticity
from rivergis.patrol.authenticity import Archive, Course, Signal
from rivergis.patrol.authenticity_copy import course_of
from rivergis.patrol.score import Score


def course(done: Score, track_id: str, chief_id: str | None, *, received_s: float = np.nan) -> Course:
    """The track as others are compared with it."""
    return course_of(done.right, track_id, chief_id, received_s=received_s)


def of_track(
    done: Score, mine: Course, others: Archive | Iterable[Course], limits: authenticity.Limits, *, declared: str | None
) -> list[Signal]:
    """What to ask about a track: its datum, what it shows by itself, and whether it copies another.

    ``others``: tracks it may have been copied from (see ``authenticity.against``); ``declared``: the datum said by the sender.
    """
    out = [*_datum(done, declared), *_no_times(done)]
    if done.way is not None:
        water = done.way.water
        lines = [water.line(r) for r in np.unique(done.way.path.reach[done.way.path.reach >= 0])]
        out += authenticity.alone(done.fixes, water.metres(done.right.lon, done.right.lat), lines, limits)
    return out + authenticity.against(mine, others, limits)


def _datum(done: Score, declared: str | None) -> list[Signal]:
    if declared is None and done.datum != "wgs84":
        name = done.datum.upper()
        zh = f"未申报坐标系:按 {name} 与河道吻合,已按此计算,请确认"
        en = f"Datum not declared: it fits the rivers as {name} and was scored so; confirm it"
        return [Signal("datum_open", zh, en, 1.0, "datum", {"datum": done.datum})]
    if done.datum_better is not None:
        name = done.datum_better.upper()
        zh = f"申报的坐标系与河道不符,按 {name} 更吻合,请确认后重新上传"
        en = f"The declared datum does not fit the rivers, {name} does: confirm it and upload again"
        return [Signal("datum_open", zh, en, 1.0, "datum", {"datum": done.datum_better})]
    return []


def _no_times(done: Score) -> list[Signal]:
    if done.fixes.timed or not len(done.fixes):
        return []
    zh, en = (
        "定位点没有时间,无法证明看到过岸线,请提供带时间的轨迹",
        "Its fixes have no times, so nothing can be shown as seen: send the track with times",
    )
    return [Signal("no_times", zh, en, float(len(done.fixes)), "clock")]
