"""Random histories of a draft: planners who save on old pictures, people who move it on, and what must hold whatever they do.

Played against the database; the model beside it is a list of pictures, one a revision, taken when it was saved.
"""

from __future__ import annotations

import random
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis.boundary import store
from rivergis.boundary.law import announce_workflow as law_workflow
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law import move_workflow as draft_move_workflow
from rivergis.boundary.law.announce_workflow import Announcement
from rivergis.boundary.law.edit import Edit
from rivergis.db.connect import Database, now_of
from rivergis.errors import Conflict, InputError, NotNow, NotPermitted, RivergisError, UsageError
from tests.boundary.draft_ground import LIMITS, line

Picture = dict[uuid.UUID, tuple[bytes, str]]
"""Segments that stand: shape to the last byte, and what they say."""
PLANNERS, REVIEWER = ("zhang", "li"), "wang"
REFUSED = (Conflict, NotNow, NotPermitted, UsageError, InputError)


@dataclass
class History:
    """What happened: a picture a revision, the moment each was saved, refusals, announcements."""

    code: str
    pictures: list[Picture] = field(default_factory=lambda: [{}])
    moments: list[datetime] = field(default_factory=list)
    saved: int = 0
    conflicts: int = 0
    merged: int = 0
    refused: int = 0
    announced: str | None = None
    faults: list[str] = field(default_factory=list)


def picture(db: Database, code: str, revision: int | None = None) -> Picture:
    with db.read() as conn:
        rows = draft_workflow.segments(conn, draft_workflow.get(conn, code), revision)
    fields = ["bank", "from_m", "to_m", "drawn_by", "basis", "reach_code"]
    said = ["|".join("" if pd.isna(v) else str(v) for v in row) for row in rows[fields].itertuples(index=False)]
    return {i: (shapely.to_wkb(g), s) for i, g, s in zip(rows["segment_id"], rows.geometry, said, strict=True)}


def play(db: Database, rng: random.Random, code: str, day: date, folder: Path, steps: int = 10) -> History:
    """Open a draft on the line in force and let people do whatever comes to their mind; ``day``: of the announcement."""
    told = History(code)
    draft_workflow.open_draft(
        db, code=code, title=code, actor="zhang", namespace="local", on=day - timedelta(days=1), rivers=["R1"], adcode="500199"
    )  # fmt: skip
    _seen(db, told)
    for _ in range(steps):
        if rng.random() < 0.85:
            _save(db, rng, told)
        else:
            _walk(db, rng, told, day, folder, end=False)
    _tidy(db, told)
    _walk(db, rng, told, day, folder, end=True)
    told.faults += check(db, told)
    return told


def _seen(db: Database, told: History) -> None:
    told.pictures.append(picture(db, told.code))
    with db.read() as conn:
        told.moments.append(now_of(conn))


def _save(db: Database, rng: random.Random, told: History) -> None:
    base = max(1, len(told.pictures) - 1 - rng.choice([0, 0, 0, 1, 1, 2, 3]))
    before = told.pictures[base]
    edits = [e for e in (_edit(rng, before) for _ in range(rng.randint(1, 3))) if e is not None]
    edits = list({e.segment_id: e for e in edits}.values())
    if not edits:
        return
    try:
        made = draft_workflow.save(db, told.code, base, edits, rng.choice(PLANNERS), reason=f"on {base}")
    except REFUSED as error:
        told.conflicts += isinstance(error, Conflict)
        told.refused += 1
        if picture(db, told.code) != told.pictures[-1]:
            told.faults.append(f"a refused save left something: {error}")
        return
    told.saved += 1
    told.merged += made.merged
    if made.revision == len(told.pictures) - 1:
        return  # nothing new was said
    _seen(db, told)
    told.faults += _lost(told, base, edits)


def _tidy(db: Database, told: History) -> None:
    """Before the end somebody takes out what was only tried and brings back what was taken out, so that the draft closes."""
    base = len(told.pictures) - 1
    first, now = told.pictures[1], told.pictures[-1]
    edits = [Edit("remove", i) for i in now if i not in first]
    edits += [Edit("put", i, geom=shapely.from_wkb(first[i][0])) for i in first if i not in now]
    with suppress(*REFUSED):
        made = draft_workflow.save(db, told.code, base, edits, "zhang", reason="tidied")
        if made.revision > base:
            _seen(db, told)


def _edit(rng: random.Random, before: Picture) -> Edit | None:
    if not before or rng.random() < 0.1:
        y = rng.choice([-1, 1]) * rng.uniform(150, 400)
        x = rng.uniform(0, 1500)
        said = {"river_code": "R1", "bank": "left" if y > 0 else "right", "reach_code": "R1-1"}
        return Edit("put", uuid.UUID(int=rng.getrandbits(128)), said, line((x, y), (x + 300, y + rng.uniform(-20, 20))))
    segment = rng.choice(sorted(before, key=lambda i: before[i]))
    what = rng.random()
    if what < 0.08:
        return Edit("remove", segment)
    if what < 0.3:
        return Edit(
            "put", segment, {"from_m": float(rng.randint(0, 50)), "drawn_by": rng.choice(["hand", "levee_toe", "road"])}
        )
    shape = shapely.from_wkb(before[segment][0])
    at, end = rng.uniform(0.2, 0.8), shapely.get_coordinates(shape)
    bend = shapely.get_coordinates(shape.interpolate(at, normalized=True))[0] + np.array(
        [0.0, rng.uniform(-4e-4, 4e-4)]
    )
    first, last = end[0], end[-1]
    if rng.random() < 0.15:
        last = last + np.array([0.0, rng.uniform(-1e-4, 1e-4)])
    return Edit("put", segment, geom=shapely.LineString([first, bend, last]))


def _lost(told: History, base: int, edits: list[Edit]) -> list[str]:
    """What a save changed that nobody asked for, or asked for without having seen what it changed."""
    was, now = told.pictures[-2], told.pictures[-1]
    asked = {e.segment_id: e for e in edits}
    out = []
    for segment in was.keys() | now.keys():
        if was.get(segment) == now.get(segment):
            continue
        if segment not in asked:
            out.append(f"revision {len(told.pictures) - 1} changed {segment}, which nobody asked for")
        elif told.pictures[base].get(segment) != was.get(segment):
            out.append(f"revision {len(told.pictures) - 1} overwrote what was saved of {segment} after revision {base}")
    for segment, edit in asked.items():
        if edit.op == "remove" and segment in now:
            out.append(f"{segment} was to be taken out and stands")
        if edit.geom is not None and (segment not in now or now[segment][0] != shapely.to_wkb(edit.geom)):
            out.append(f"{segment} was drawn and is not what was drawn")
    return out


def _walk(db: Database, rng: random.Random, told: History, day: date, folder: Path, *, end: bool) -> None:
    """The moves of the draft by whoever comes along; at the end, as it should be."""
    for move in (
        ("submit", "review", "announce") if end else (rng.choice(["submit", "review", "send_back", "announce"]),)
    ):
        who = REVIEWER if move != "submit" or (rng.random() < 0.1 and not end) else "zhang"
        if not end and rng.random() < 0.3:
            who = rng.choice([*PLANNERS, REVIEWER])
        try:
            _take(db, told, move, who, day, folder)
        except REFUSED:
            told.refused += 1


def _take(db: Database, told: History, move: str, who: str, day: date, folder: Path) -> None:
    if move == "announce":
        file = folder / f"{told.code}.txt"
        file.write_text(f"announcement of {told.code}", encoding="utf-8")
        said = Announcement("试验县人民政府", f"试府告{told.code}", date(2026, 6, 1), day, "试验县水利局", file)
        law_workflow.announce(db, told.code, said, who, reason="公告", store_dir=folder / "store", limits=LIMITS)
        told.announced = told.code
        return
    with db.read() as conn:
        _, sha = draft_move_workflow.submitted_table(conn, draft_workflow.get(conn, told.code))
    more: dict[str, Any] = {"reasons": {"*": "更正"}} if move == "submit" else {"countersign": sha}
    draft_move_workflow.move(
        db, told.code, move, who, reason="试", limits=LIMITS, **({} if move == "send_back" else more)
    )


def check(db: Database, told: History) -> list[str]:
    """Every revision, and every moment, is as it was when it was saved."""
    out = []
    with db.read() as conn:
        draft = draft_workflow.get(conn, told.code)
        for moment, number in zip(told.moments, range(1, len(told.pictures)), strict=True):
            if draft_store.revision_at(conn, draft["id"], moment) != number:
                out.append(f"at {moment} it stood at {number}, and does not any more")
    for number in range(1, len(told.pictures)):
        if picture(db, told.code, number) != told.pictures[number]:
            out.append(f"revision {number} is not what it was")
    return out


def law(db: Database, day: date, known_at: datetime | None = None) -> dict[str, tuple[bytes, ...]]:
    """What is in force on a day as known at a moment: shapes of lines and areas by delimitation, to the last byte."""
    with db.read() as conn:
        known = known_at or now_of(conn)
        lines, areas = store.lines(conn, day, known), store.areas(conn, day, known)
    out: dict[str, list[bytes]] = {}
    for frame in (lines, areas):
        for code, shape in zip(frame["boundary_code"], frame.geometry, strict=True):
            out.setdefault(code, []).append(shapely.to_wkb(shape))
    return {k: tuple(sorted(v)) for k, v in out.items()}


__all__ = ["History", "RivergisError", "check", "law", "picture", "play"]
