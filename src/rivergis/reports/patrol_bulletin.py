"""巡河情况通报: the monthly bulletin of a county, township or village, from the facts known at a moment; can be replayed.

达标 tests only announced rule rows; coverage, bank and way of moving stand apart as 覆盖情况(参考). Questions about tracks appear
only where a person has confirmed them, in words. Register ids A1, A2, A7, A16, A17.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.errors import UsageError
from rivergis.maps import patrol_rows
from rivergis.maps.patrol_rows import Facts, Span
from rivergis.patrol import calendar, duty_workflow, period_tally
from rivergis.patrol.period_tally import Frames, Tally
from rivergis.reports.patrol_paper import Paper, Table
from rivergis.reports.patrol_units import WITH_BELOW, Group, Places, bank, named, rules_of, stretch, unconfirmed
from rivergis.river import store as river_store
from rivergis.river.chainage import label
from rivergis.rules import NATIONAL, RuleBook, RuleView, path_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
STANDARD, COVERAGE, FREQUENCY, ABOUT_PATROLS = "standard", "coverage", "frequency", "patrols"


def month_of(text: str) -> tuple[date, date]:
    """First and last day of a month written 2026-05; ``UsageError`` for anything else."""
    try:
        first = datetime.strptime(text, "%Y-%m").date()
    except ValueError as error:
        raise UsageError(f"{text!r} is no month: write it like 2026-05.") from error
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


@dataclass(frozen=True)
class _Read:
    """All a bulletin is made of."""

    facts: Facts
    places: Places
    frames: Frames
    ledger: pd.DataFrame
    view: RuleView
    min_stretch_m: float


def bulletin(
    conn: Connection, book: RuleBook, first: date, last: date, *, unit: str | None = None, known_at: datetime
) -> Paper:
    """The bulletin of a period, for a unit and all below it or for all: ``NotFound`` for an unknown unit."""
    span = Span(first, last, known_at)
    home = river_store.home(conn, last, known_at) or NATIONAL
    view = book.at(path_of(home), last)
    facts = patrol_rows.facts(conn, span, view)
    as_of = min(last, known_at.astimezone(SHANGHAI).date())
    owed = duty_workflow.read(conn, book, first=first, last=last, as_of=as_of, known_at=known_at)
    held = period_tally.assigned(facts.duties)
    legs = period_tally.credited(facts.legs.stretches, facts.credits, held)
    frames = Frames(held, legs, facts.patrols, facts.entries, facts.credits, facts.observations)
    read = _Read(facts, Places(facts, unit), frames, owed.ledger, view, view.number("patrol.coverage.min_leg"))
    return _paper(read, owed.rules, home)


def _paper(read: _Read, owed_rules: list[dict[str, Any]], home: str) -> Paper:
    groups = read.places.groups()
    tallies = [period_tally.tally(read.frames, g.chiefs) for g in groups]
    whole = period_tally.tally(read.frames, read.places.chiefs["chief_id"])
    span, facts = read.facts.span, read.facts
    where = read.places.unit_name(read.places.unit or home) if (read.places.unit or home) != NATIONAL else ""
    rules = {(r["key"], r["ruleset"], str(r["value"])): r for r in (*rules_of(read.view), *owed_rules)}
    name = f"{where} {span.first:%Y-%m}" if _is_month(span) else f"{where} {span.first} – {span.last}"
    title_zh, title_en = words.pair("patrol_report.bulletin")
    return Paper(
        f"{title_zh} · {name.strip()}",
        title_en,
        span.known_at,
        _about(read, home),
        [t for t in _tables(read, groups, tallies) if t is not None],
        _tiles(whole, read),
        named(rules[k] for k in sorted(rules)),
        unconfirmed=unconfirmed(rules[k] for k in sorted(rules)),
        demo=facts.demo,
        figures=_figures(whole),
    )


def _is_month(span: Span) -> bool:
    return (span.first, span.last) == month_of(f"{span.first:%Y-%m}")


def _about(read: _Read, home: str) -> list[tuple[str, Any]]:
    facts, span = read.facts, read.facts.span
    sets = "、".join(sorted({s for s in facts.patrols["rule_set"] if s}))
    short = {
        "period": f"{span.first} – {span.last}",
        "unit": f"{read.places.unit_name(read.places.unit or home)} {read.places.unit or home}",
        "rule_set": read.view.book.version,
        "scored_by": sets or None,
        "not_scored": int(facts.patrols["figures"].isna().sum()) or None,
        "rejected": len(facts.rejected) or None,
        "without_chief": int((~facts.patrols["track_id"].isin(facts.credits["track_id"])).sum()) or None,
        "lost_legs": _lost(facts),
        "inputs": facts.hash,
    }
    return [(words.both(f"patrol_report.{k}"), v) for k, v in short.items() if v is not None]


def _lost(facts: Facts) -> str | None:
    """Seen metres that today's river has no place for."""
    gone = facts.legs.lost
    seen = gone[gone["seen"].astype(bool)] if len(gone) else gone
    return f"{(seen['to_m'] - seen['from_m']).sum() / 1000:,.3f} km" if len(seen) else None


def _figures(t: Tally) -> dict[str, Any]:
    return {
        "patrols": t.patrols, "entries": t.entries, "tested": t.tested, "met": t.met, "undecided": t.undecided,
        "minutes": round(t.minutes, 1), "bank_assigned_m": t.bank_assigned_m, "bank_seen_m": t.bank_seen_m,
        "river_assigned_m": t.river_assigned_m, "river_seen_m": t.river_seen_m, "mode_m": dict(t.mode_m), "problems": t.problems,
    }  # fmt: skip


def _tiles(t: Tally, read: _Read) -> list[tuple[str, Any]]:
    states = _states(read.ledger, read.places.chiefs["chief_id"])
    shown = percent(t.bank_seen_m, t.bank_assigned_m)
    return [
        ("patrols_gps", t.patrols),
        ("records", t.entries),
        ("met_of_tested", f"{t.met} / {t.tested}" if t.tested else words.say("patrol_report.not_ruled")),
        ("bank_seen", "—" if shown is None else f"{shown} %"),
        ("period_done", states[calendar.DONE]),
        ("period_overdue", states[calendar.OVERDUE] + states[calendar.PARTLY]),
        ("problems", t.problems),
    ]


def percent(part: float, whole: float) -> float | None:
    """A share in percent to 0.1, None of nothing."""
    value = period_tally.share(part, whole)
    return None if value is None else round(100 * value, 1)


def km(metres: float) -> float:
    return round(metres / 1000, 3)


def _tables(read: _Read, groups: Sequence[Group], tallies: Sequence[Tally]) -> Iterator[Table | None]:
    rows = list(zip(groups, tallies, strict=True))
    chiefs = [(c, period_tally.tally(read.frames, [c.chief_id])) for c in read.places.chiefs.itertuples()]
    yield Table("units", _UNITS, [_unit_row(g, t, read.ledger) for g, t in rows], ABOUT_PATROLS)
    yield Table("chiefs", _CHIEFS, [_chief_row(read, c, t) for c, t in chiefs], ABOUT_PATROLS)
    yield Table("standard", _STANDARD, [_standard_row(g, t) for g, t in rows], STANDARD, _standard_note(read))
    yield Table("standard_chiefs", _STANDARD_CHIEFS, [_chief_standard(read, c, t) for c, t in chiefs], STANDARD)
    yield Table("standard_rules", _TESTED, _tested_rows(read), STANDARD)
    yield Table(
        "coverage",
        _COVERAGE,
        [_coverage_row(g, t) for g, t in rows],
        COVERAGE,
        words.both("patrol_report.note_coverage"),
    )
    yield Table("coverage_chiefs", _COVERAGE_CHIEFS, [_chief_coverage(read, c, t) for c, t in chiefs], COVERAGE)
    yield Table("modes", _MODES, [_mode_row(g, t) for g, t in rows], COVERAGE, words.both("patrol_report.note_modes"))
    yield _never(read)
    yield Table("frequency", _FREQUENCY, _frequency_rows(read), FREQUENCY, words.both("patrol_report.note_frequency"))
    yield Table("entries", _ENTRIES, _entry_rows(read), FREQUENCY, words.both("patrol_report.note_entries"))
    yield Table("problems_seen", _PROBLEMS, _problem_rows(read), "problems")
    if signals := _signal_rows(read):
        yield Table("verified", _VERIFIED, signals, "verified", words.both("patrol_report.note_verified"))


_UNIT = ("unit_code", "unit", "scope")
_UNITS = (
    *_UNIT, "chiefs", "patrols_gps", "records", "minutes", "problems", "period_done", "period_due", "period_overdue", "period_partly",
)  # fmt: skip
_CHIEF = ("unit", "chief")
_CHIEFS = (
    *_CHIEF,
    "patrols_gps",
    "records",
    "minutes",
    "problems",
    "period_done",
    "period_due",
    "period_overdue",
    "period_partly",
)
_STANDARD_CHIEFS = (*_CHIEF, "patrols_gps", "tested", "met", "not_met", "undecided")
_COVERAGE_CHIEFS = (
    *_CHIEF,
    "assigned_bank_km",
    "seen_bank_km",
    "bank_share",
    "river_assigned_km",
    "river_seen_km",
    "river_share",
)
_STANDARD = (*_UNIT, "patrols_gps", "tested", "met", "not_met", "undecided")
_TESTED = ("unit", "chief", "rule", "threshold", "unit_of", "tested", "met", "not_met", "near", "document")
_COVERAGE = (
    *_UNIT, "assigned_bank_km", "seen_bank_km", "bank_share", "left_assigned_km", "left_seen_km", "left_share", "right_assigned_km",
    "right_seen_km", "right_share", "river_assigned_km", "river_seen_km", "river_share",
)  # fmt: skip
_MODES = (*_UNIT, *(f"{m}_km" for m in (*period_tally.MODES, period_tally.NOT_TOLD)))
_NEVER = ("unit", "chief", "river", "bank", "from", "to", "length_m", "reason", "landmark")
_FREQUENCY = (
    "unit",
    "chief",
    "waters",
    "rule_period",
    "asked",
    "done",
    "by_gps",
    "by_entry",
    "state",
    "last_day",
    "announced",
)
_ENTRIES = ("day", "chief", "record_kind", "river", "bank", "from", "to", "minutes", "said_km", "record_state")
_PROBLEMS = ("day", "chief", "river", "bank", "chainage", "problem_kind", "problem_text")
_VERIFIED = ("day", "chief", "verified_what", "decided_on")


def _unit(g: Group) -> tuple[Any, ...]:
    scope = "scope_with_below" if g.scope == WITH_BELOW else "scope_own"
    return g.code, g.name, words.both(f"patrol_report.{scope}")


def _states(ledger: pd.DataFrame, chiefs: Any) -> Counter[str]:
    """Periods of these chiefs by state; whole periods, also those that end later."""
    return Counter(ledger.loc[ledger["chief_id"].isin(set(chiefs)), "state"])


def _unit_row(g: Group, t: Tally, ledger: pd.DataFrame) -> Sequence[Any]:
    return *_unit(g), len(g.chiefs), *_visits(t), *_owed(ledger, g.chiefs)


def _visits(t: Tally) -> tuple[Any, ...]:
    return t.patrols, t.entries, round(t.minutes, 1), t.problems


def _owed(ledger: pd.DataFrame, chiefs: Sequence[Any]) -> tuple[int, ...]:
    states = _states(ledger, chiefs)
    return tuple(states[k] for k in (calendar.DONE, calendar.DUE, calendar.OVERDUE, calendar.PARTLY))


def _standard_row(g: Group, t: Tally) -> Sequence[Any]:
    return *_unit(g), *_standard(t)


def _standard(t: Tally) -> tuple[Any, ...]:
    if not t.tested:
        mute = words.both("patrol_report.not_ruled") if t.patrols else None
        return t.patrols, 0, mute, None, None
    return t.patrols, t.tested, t.met, t.tested - t.met - t.undecided, t.undecided


def _who(read: _Read, chief: Any) -> tuple[str, str]:
    return read.places.unit_name(chief.unit_code), read.places.name(chief.chief_id)


def _chief_row(read: _Read, chief: Any, t: Tally) -> Sequence[Any]:
    return *_who(read, chief), *_visits(t), *_owed(read.ledger, [chief.chief_id])


def _chief_standard(read: _Read, chief: Any, t: Tally) -> Sequence[Any]:
    return *_who(read, chief), *_standard(t)


def _chief_coverage(read: _Read, chief: Any, t: Tally) -> Sequence[Any]:
    pairs = ((t.bank_assigned_m, t.bank_seen_m), (t.river_assigned_m, t.river_seen_m))
    return *_who(read, chief), *_of_whole(pairs)


def _of_whole(pairs: Iterable[tuple[float, float]]) -> tuple[Any, ...]:
    """For each whole and part: both in km, and the share in percent."""
    return tuple(v for whole, part in pairs for v in (km(whole), km(part), percent(part, whole)))


def _standard_note(read: _Read) -> str:
    tested = any(bool(s) for s in read.facts.patrols["standard"])
    return words.both("patrol_report.note_standard" if tested else "patrol_report.note_not_ruled")


def _coverage_row(g: Group, t: Tally) -> Sequence[Any]:
    pairs = [(t.bank_assigned_m, t.bank_seen_m)]
    pairs += [(t.assigned_m[b], t.seen_m[b]) for b in ("left", "right")]
    pairs += [(t.river_assigned_m, t.river_seen_m)]
    return *_unit(g), *_of_whole(pairs)


def _mode_row(g: Group, t: Tally) -> Sequence[Any]:
    return *_unit(g), *(km(t.mode_m[m]) for m in (*period_tally.MODES, period_tally.NOT_TOLD))


def _tested_rows(read: _Read) -> list[Sequence[Any]]:
    """Each announced rule row by chief: how many patrols were tested on it, met it, or came near its threshold."""
    counted: dict[tuple[Any, ...], Counter[str]] = {}
    own = read.facts.patrols.merge(read.facts.credits[["track_id", "chief_id"]], on="track_id", suffixes=("_head", ""))
    for p in own[own["chief_id"].isin(set(read.places.chiefs["chief_id"]))].itertuples():
        for row in p.standard or []:
            threshold = row["threshold"]
            told = "、".join(map(str, threshold)) if isinstance(threshold, (list, tuple)) else threshold
            key = (p.chief_id, row["key"], told, row.get("unit") or None, row.get("basis") or row.get("document"))
            state = {True: "met", False: "not_met", None: "undecided"}[row.get("met")]
            counted.setdefault(key, Counter()).update(["tested", state, *(["near"] if row.get("near") else [])])
    order = {c: i for i, c in enumerate(read.places.chiefs["chief_id"])}
    return [
        (
            read.places.unit_name(read.places.people[chief].unit_code), read.places.name(chief), words.both(f"rule_key.{rule}"),
            threshold, unit, n["tested"], n["met"], n["not_met"], n["near"], document,
        )
        for (chief, rule, threshold, unit, document), n in sorted(counted.items(), key=lambda i: (order[i[0][0]], str(i[0])))
    ]  # fmt: skip


def _never(read: _Read) -> Table:
    keys = ["chief_id", "river_id", "bank"]
    holes = period_tally.never_seen(read.frames, keys)
    holes = holes[holes["chief_id"].isin(set(read.places.chiefs["chief_id"]))]
    length = holes["to_m"] - holes["from_m"]
    short = length < read.min_stretch_m
    note = words.both("patrol_report.note_never")
    if short.any():
        note += " " + words.both(
            "patrol_report.note_short",
            n=int(short.sum()),
            metres=f"{read.min_stretch_m:g}",
            km=f"{length[short].sum() / 1000:,.3f}",
        )
    order = {c: i for i, c in enumerate(read.places.chiefs["chief_id"])}
    kept = sorted(
        holes[~short].itertuples(), key=lambda h: (order[h.chief_id], read.places.river(h.river_id), h.bank, h.from_m)
    )
    return Table("never", _NEVER, [_hole(read.places, h) for h in kept], COVERAGE, note)


def _hole(places: Places, h: Any) -> Sequence[Any]:
    return (
        places.unit_name(places.people[h.chief_id].unit_code), places.name(h.chief_id), places.river(h.river_id), bank(h.bank),
        *stretch(h.from_m, h.to_m), words.both(f"unseen.{h.reason}"), places.landmark(h.river_id, h.from_m, h.to_m),
    )  # fmt: skip


def _frequency_rows(read: _Read) -> list[Sequence[Any]]:
    own = read.ledger[read.ledger["chief_id"].isin(set(read.places.chiefs["chief_id"]))]
    order = {c: i for i, c in enumerate(read.places.chiefs["chief_id"])}
    out: list[Sequence[Any]] = []
    for r in sorted(own.itertuples(), key=lambda r: (order[r.chief_id], r.begin, str(r.waters))):
        announced = words.both("patrol_report.is_announced" if r.announced else "patrol_report.not_announced")
        unit = read.places.unit_name(read.places.people[r.chief_id].unit_code)
        counts = (_count(r.due), _count(r.done), _count(r.gps), _count(r.entry))
        state = words.both(f"patrol_report.state_{r.state}")
        out.append((unit, read.places.name(r.chief_id), r.waters, r.label, *counts, state, _day(r.last_day), announced))
    return out


def _count(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def _day(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


def _entry_rows(read: _Read) -> list[Sequence[Any]]:
    """Entries without a track, one row a stretch; those that are the same patrol as a track stay visible and say so."""
    own = set(read.places.chiefs["chief_id"])
    who = read.facts.credits[read.facts.credits["entry_id"].notna()].groupby("entry_id")["chief_id"].agg(list)
    stretches = read.facts.entry_stretches.groupby("entry_id")
    out: list[Sequence[Any]] = []
    for e in read.facts.entries.itertuples():
        chiefs = who.get(e.entry_id, [])
        if read.places.unit is not None and not own & set(chiefs):
            continue
        state = words.both(f"patrol_report.record_{e.move or 'stands'}")
        said = None if pd.isna(e.metres_said) else km(e.metres_said)
        minutes = None if pd.isna(e.minutes) else round(e.minutes, 1)
        head = (str(e.day), read.places.names(chiefs) or "—", words.both(f"patrol_report.kind_{e.kind}"))
        parts = list(stretches.get_group(e.entry_id).itertuples()) if e.entry_id in stretches.groups else [None]
        out += [(*head, *_said(read.places, p), minutes, said, state) for p in parts]
    return out


def _said(places: Places, part: Any) -> tuple[Any, ...]:
    if part is None:
        return None, None, None, None
    ends = (None, None) if pd.isna(part.from_m) or pd.isna(part.to_m) else (label(part.from_m), label(part.to_m))
    return places.river(part.river_id), bank(part.bank), *ends


def _problem_rows(read: _Read) -> list[Sequence[Any]]:
    seen = read.facts.observations
    tracks = read.facts.credits.dropna(subset=["track_id"]).groupby("track_id")["chief_id"].agg(list)
    entries = read.facts.credits.dropna(subset=["entry_id"]).groupby("entry_id")["chief_id"].agg(list)
    own = set(read.places.chiefs["chief_id"])
    out: list[Sequence[Any]] = []
    for o in seen.itertuples():
        chiefs = tracks.get(o.track_id, []) if o.track_id is not None else entries.get(o.entry_id, [])
        if read.places.unit is None or own & set(chiefs):
            at = None if pd.isna(o.at_m) else label(o.at_m)
            where = places_of(read.places, o.river_id), bank(o.bank) if o.bank else None, at
            out.append((str(o.day), read.places.names(chiefs) or "—", *where, o.kind, o.text))
    return out


def places_of(places: Places, river: Any) -> str | None:
    return None if river is None or pd.isna(river) else places.river(river)


def _signal_rows(read: _Read) -> list[Sequence[Any]]:
    """What a person has confirmed about a track, in the words of the question; nothing else of 轨迹待核实 goes out."""
    tracks = read.facts.credits.dropna(subset=["track_id"]).groupby("track_id")["chief_id"].agg(list)
    own = set(read.places.chiefs["chief_id"])
    return [
        (str(s.day), read.places.names(tracks.get(s.track_id, [])) or "—", f"{s.zh} {s.en}", f"{s.decided_at.astimezone(SHANGHAI):%Y-%m-%d}")
        for s in read.facts.signals.itertuples()
        if own & set(tracks.get(s.track_id, []))
    ]  # fmt: skip


def now() -> datetime:
    """The next full second: a bulletin of today is replayed with the moment that stands on it."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
