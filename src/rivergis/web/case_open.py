"""Open a case that no night told (登记新问题): what a person saw, heard or was told, with pictures that may say where and when."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from fastapi import Request

from rivergis import crs, words
from rivergis.db.access import Actor
from rivergis.encroachment import case_workflow, life_workflow
from rivergis.encroachment.life_workflow import Evidence
from rivergis.errors import InputError, UsageError
from rivergis.intake import photo
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT
from rivergis.web import case_sent, scope
from rivergis.web.auth import database
from rivergis.web.case_sent import Sent
from rivergis.web.patrol_upload import book_of, of_the_sender

SHANGHAI = ZoneInfo("Asia/Shanghai")
SOURCES = ("巡河", "暗访", "12314", "举报", "上级检查", "媒体", "遥感")
DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")


def opened(request: Request, actor: Actor, said: Sent) -> tuple[uuid.UUID, list[str]]:
    """The case of a report, new or there already where the same was reported before; and what its pictures say differently.

    ``said``: source, found_on, class_code, number, note, lon and lat in degrees of ``datum``, else those of the first picture that has
    a place. Raises ``InputError`` with one sentence for what is not enough.
    """
    try:
        return _opened(request, actor, said)
    except (UsageError, InputError) as error:
        raise of_the_sender(error if isinstance(error, InputError) else InputError(error.sentence)) from error


def _opened(request: Request, actor: Actor, said: Sent) -> tuple[uuid.UUID, list[str]]:
    source, code, found_on = said.text("source"), said.text("class_code"), _day(said.text("found_on"))
    if source is None:
        raise InputError(words.both("desk.say_source"))
    if code is not None and code not in book_of(request).taxonomy["classes"]:
        raise InputError(f"{code[:40]!r} is no class of the taxonomy.")
    told = [_told(p) for p in said.evidence]
    place = _place(said, told)
    scope.own_place(request, place)
    evidence = [_evidence(p, facts, place, said) for p, facts in zip(said.evidence, told, strict=True)]
    note = said.text("note")
    with database(request).write(actor.name) as conn:
        case_id = case_workflow.open_reported(
            conn, class_code=code, kind=None, place=place, found_on=found_on, source=source,
            said={"note": note} if note else {}, number=said.text("number"),
        )  # fmt: skip
        store_dir = request.app.state.settings.store_dir
        differs = life_workflow.keep_evidence(conn, case_id, evidence, store_dir) if evidence else []
    return case_id, differs


def _day(text: str | None) -> date:
    """The day of finding; by default today."""
    if text is None:
        return datetime.now(UTC).astimezone(SHANGHAI).date()
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no day: write it as 2026-05-20.") from error


def _told(path: Path) -> dict[str, Any]:
    """What a picture says itself: lon, lat, taken_at as far as they are there."""
    if path.suffix.lower() not in life_workflow.PICTURES:
        return {}
    return dict(photo.read_photo(path, Asked(), DEFAULT).layers[0].facts)


def _place(said: Sent, told: list[dict[str, Any]]) -> shapely.Point:
    """Where the thing is, in EPSG:4490: as typed, else where the first picture was taken."""
    lon, lat, datum = said.degrees("lon"), said.degrees("lat"), said.text("datum") or "wgs84"
    if datum not in DATUMS:
        raise InputError(f"{datum[:40]!r} is no datum: it is one of {', '.join(DATUMS)}.")
    if (lon is None) != (lat is None):
        raise InputError(words.both("desk.half_place"))
    if lon is not None and lat is not None:
        if abs(lat) > 90:
            raise InputError(f"{lat} is no latitude: longitude comes first.")
        x, y = crs.to_wgs84([lon], [lat], "wgs84" if datum == "cgcs2000" else datum)
        return shapely.Point(round(float(x[0]), 8), round(float(y[0]), 8))
    for facts in told:
        if facts.get("lon") is not None:
            return shapely.Point(facts["lon"], facts["lat"])
    raise InputError(words.both("desk.say_place"))


def _evidence(path: Path, facts: dict[str, Any], place: shapely.Point, said: Sent) -> Evidence:
    """A picture; what it does not tell of itself is said of it: the place of the thing, and the time that was typed."""
    own_place, own_time = facts.get("lon") is not None, facts.get("taken_at") is not None
    at = case_sent.moment(said.text("at"))
    if at is None and not own_time:
        raise InputError(words.both("desk.say_time", name=path.name))
    return Evidence(
        path,
        None if own_place else place.x,
        None if own_place else place.y,
        None if own_time else at,
    )
