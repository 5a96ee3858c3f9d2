"""The map of who answers for each metre (河长责任图): gaps and doubles shown, listed with their chainage, level by level, as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.errors import NotFound
from rivergis.layers import LEVELS
from rivergis.maps import atlas, features, responsibility, sheet_layers, sheets
from rivergis.maps.features import When
from rivergis.maps.sheets import Sheet, Titled
from rivergis.reports import register_sources
from rivergis.reports.sheet_below import Below, Table, km, metres, stretch
from rivergis.river import duties, store
from rivergis.river.duties import Assignment

GROUND = ("admin_unit", "water_area", "reach")


@dataclass(frozen=True)
class Asked:
    """A day, and only one level, or only one river (code or name), where named."""

    on: date | None = None
    level: str | None = None
    river: str | None = None


def page(conn: Connection, sheet: Sheet, asked: Asked, shortest_m: float) -> str:
    """HTML of the map and its lists; ``shortest_m``: shorter stretches come from rounded chainages and are counted only.

    ``NotFound`` for an unknown river, or while no duty is known.
    """
    at = features.when(conn, asked.on)
    people = register_sources.people_of(conn, at.on)
    rivers = _chosen(people, asked.river)
    assigned = duties.assign(people.duties, rivers, None if asked.level is None else [asked.level])
    layers = _layers(conn, at, assigned, rivers, people, shortest_m)
    own = {n: f for n, f in layers.items() if len(f) or n == responsibility.OPEN}
    focus = (
        atlas.bounds([f for f in own.values() if len(f)], margin=0.03) if any(len(f) for f in own.values()) else None
    )
    scope = features.Scope(None, focus) if focus and asked.river else None
    chosen = sheet_layers.gather(conn, GROUND, at, served=sheet.served, scope=scope, own=own)
    where = [
        asked.river and str(rivers["river"].iloc[0]),
        asked.level and words.say(f"level.{asked.level}"),
        str(at.on),
    ]
    told = below(assigned, people, shortest_m).html()
    return sheets.draw(
        conn, sheet, Titled("responsibility", " ".join(w for w in where if w)), at, chosen, drafts=False,
        focus=focus, listed=responsibility.OPEN, hidden=_hidden(own), below=told,
    )  # fmt: skip


def _hidden(own: atlas.Layers) -> Sequence[str]:
    """The lowest level is shown first; the others are a switch away."""
    held = [responsibility.layer_of(level) for level in LEVELS if responsibility.layer_of(level) in own]
    return held[:-1]


def _chosen(people: register_sources.People, river: str | None) -> pd.DataFrame:
    if river is None:
        return people.rivers
    by_code = people.rivers["river_id"].map(people.codes) == river
    found = people.rivers[by_code if by_code.any() else people.rivers["river"] == river]
    if found.empty:
        raise NotFound(f"There is no river with an axis and the code or name {river!r}: see 'rivergis river list'.")
    return found


def _layers(
    conn: Connection, at: When, assigned: Assignment, rivers: pd.DataFrame, people: Any, shortest_m: float
) -> atlas.Layers:
    own = set(rivers["river_id"])
    axes, reaches = (read(conn, at.on, at.known_at) for read in (store.axes, store.reaches))
    axes, reaches = (f.assign(river_id=f["river_id"].astype(str)) for f in (axes, reaches))
    names = dict(zip(rivers["river_id"], rivers["river"], strict=True))
    held = replace(assigned, intervals=assigned.intervals[assigned.intervals["river_id"].isin(own)])
    return responsibility.drawn(
        held.intervals,
        axes[axes["river_id"].isin(own)],
        reaches[reaches["river_id"].isin(own)],
        names,
        shortest_m=shortest_m,
    )


def below(assigned: Assignment, people: register_sources.People, shortest_m: float) -> Below:
    """Sums of each level, then what is open, with chainages."""
    nobody, few = duties.longer(duties.joined(assigned.orphans), shortest_m)
    several, short = duties.longer(duties.joined(assigned.doubles), shortest_m)
    off, tiny = duties.longer(assigned.astray, shortest_m)
    summary = [
        (_level(r.level), km(r.bank_m), km(r.one_m), km(r.nobody_m), f"{r.nobody_share:.2%}", km(r.several_m), f"{r.several_share:.2%}")
        for r in assigned.summary.itertuples()
    ]  # fmt: skip
    astray = [
        (_level(r.level), people.codes.get(r.river_id, "—"), words.both(f"bank.{r.bank}"), r.chief, stretch(r.from_m, r.to_m),
         metres(r.length_m), words.both(f"river_register.reason_{r.reason}"))
        for r in off.itertuples()
    ]  # fmt: skip
    bare = [(people.codes.get(r.river_id, "—"), r.name, r.duties) for r in people.without_axis.itertuples()]
    open_ = ("level", "code", "river", "bank", "stretch", "length_m")
    tables = [
        Table("duty_summary", ("level", "bank_km", "one_km", "nobody_km", "nobody_share", "several_km", "several_share"), summary),
        Table("duty_gaps", open_, _open(nobody, people)),
        Table("duty_doubles", (*open_, "chiefs"), _open(several, people, who=True)),
        Table("duty_astray", ("level", "code", "bank", "chiefs", "stretch", "length_m", "reason"), astray),
        Table("without_axis", ("code", "name", "duties"), bare),
    ]  # fmt: skip
    return Below(
        (),
        [t for t in tables if t.rows or t.key in ("duty_summary", "duty_gaps", "duty_doubles")],
        _short(few + short + tiny, shortest_m),
    )


def _short(n: int, shortest_m: float) -> list[str]:
    return [words.both("sheet.note_short", n=n, m=f"{shortest_m:g}")] if n else []


def _level(level: str) -> str:
    return words.both(f"level.{level}")


def _open(frame: pd.DataFrame, people: register_sources.People, *, who: bool = False) -> list[tuple[Any, ...]]:
    return [
        (_level(r.level), people.codes.get(r.river_id, "—"), r.river, words.both(f"bank.{r.bank}"), stretch(r.from_m, r.to_m),
         metres(r.length_m), *((r.chiefs,) if who else ()))
        for r in frame.itertuples()
    ]  # fmt: skip
