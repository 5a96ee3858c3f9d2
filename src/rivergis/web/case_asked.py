"""What is asked of the ledger in the query of an address: the same for the list page and for programs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query

from rivergis import lifecycle
from rivergis.errors import UsageError
from rivergis.reports import case_desk
from rivergis.reports.case_desk import Filters

DUE_DAYS = 7
Clock = Literal["", "overdue", "due", "escalate", "rebound", "awaits_above"]


@dataclass(frozen=True)
class Asked:
    """Filters with the day that the ledger is seen on."""

    filters: Filters
    clock: Clock = ""
    on: date | None = None
    known: date | None = None


def asked(
    state: Annotated[
        list[str] | None,
        Query(description="States of gis/lifecycle.yaml; open = what waits for people (default), to_verify, any"),
    ] = None,
    clock: Annotated[
        Clock, Query(description="overdue; due = deadline within 7 days; escalate; rebound; awaits_above")
    ] = "",
    due_in_days: Annotated[int | None, Query(ge=0, le=3650, description="Deadline within so many days")] = None,
    district: Annotated[str | None, Query(max_length=12, description="adcode of the county, 6 digits")] = None,
    town: Annotated[str | None, Query(max_length=60)] = None,
    class_: Annotated[
        str | None, Query(alias="class", max_length=60, description="Class code, with all below it")
    ] = None,
    severity: Annotated[str | None, Query(max_length=20)] = None,
    stock: Annotated[Literal["", "stock", "increment"], Query(description="存量 or 增量; empty = both")] = "",
    topic: Annotated[str | None, Query(max_length=40)] = None,
    status: Annotated[list[str] | None, Query(description="What the nights last said: new, grown, gone ...")] = None,
    night: Annotated[date | None, Query(description="Only what this night saw last")] = None,
    q: Annotated[str | None, Query(max_length=100, description="Part of number, name, river, village or unit")] = None,
    sort: str = "urgency",
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=case_desk.MOST)] = 50,
    on: Annotated[date | None, Query(description="Civil day on which the clocks stand; default today")] = None,
    known: Annotated[
        date | None, Query(description="As the ledger was known at the end of this day; default now")
    ] = None,
) -> Asked:
    """The filters of a request; ``UsageError`` for a state there is not."""
    states = tuple(s for s in state or [] if s) or ("open" if not clock else "any",)
    known_states = {*lifecycle.load()["finding"].states, *case_desk.WIDE}
    strange = [s for s in states if s not in known_states]
    if strange:
        raise UsageError(f"{strange[0][:40]!r} is no state of a case: it is one of {', '.join(sorted(known_states))}.")
    f = Filters(
        state=states,
        overdue=clock == "overdue",
        due_in_days=DUE_DAYS if clock == "due" else due_in_days,
        rebound=clock == "rebound",
        awaits_above=clock == "awaits_above",
        escalate=clock == "escalate",
        district=district or None,
        town=town or None,
        class_code=class_ or None,
        severity=severity or None,
        stock={"stock": True, "increment": False}.get(stock),
        topic=topic or None,
        status=tuple(s for s in status or [] if s),
        night=night,
        text=q or None,
        sort=sort,
        offset=offset,
        limit=limit,
    )
    return Asked(f, clock, on, known)


def query_of(wanted: Asked, offset: int) -> str:
    """The same question from another row on, as a query."""
    f = wanted.filters
    said: dict[str, Any] = {n.name: getattr(f, n.name) for n in fields(f) if n.name in _SAME}
    said |= {"class": f.class_code, "q": f.text, "clock": wanted.clock, "on": wanted.on, "known": wanted.known}
    said |= {"stock": {True: "stock", False: "increment"}.get(f.stock) if f.stock is not None else None}
    said |= {"due_in_days": None if wanted.clock == "due" else f.due_in_days, "offset": offset or None}
    return urlencode({k: v for k, v in said.items() if v not in (None, "", ())}, doseq=True)


_SAME = frozenset({"state", "district", "town", "severity", "topic", "status", "night", "sort", "limit"})
