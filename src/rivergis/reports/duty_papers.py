"""The patrol calendar, the list of next patrols and the list of reminders as papers: workbook, page, PDF or JSON.

What a document announces and what is taken for reference are told apart in every row. Register ids A1, A5, A11.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import pandas as pd

from rivergis import words
from rivergis.errors import inert
from rivergis.patrol import calendar, duty
from rivergis.patrol.duty_workflow import Duties
from rivergis.reports.patrol_paper import Paper, Table
from rivergis.reports.reminder_card import Card
from rivergis.river.chainage import label

CALENDAR, NEXT, REMIND = "frequency", "next", "remind"
_CALENDAR = (
    "chief", "waters", "km", "period", "begin", "end", "due", "done", "gps", "entry", "state", "last_day", "share", "warning",
    "notes", "status",
)  # fmt: skip
_CHIEFS = (
    "chief",
    "level",
    "stretches_held",
    "km",
    "n_problems",
    "n_done",
    "n_due",
    "n_overdue",
    "n_partly",
    "n_rest",
    "due",
    "done",
    "gps",
    "entry",
)
_NEXT = (
    "chief", "level", "river", "from", "to", "bank", "period", "end", "due", "done", "missing", "missed_periods", "overdue_days",
    "extra", "why", "last_left", "last_right", "last_entry", "basis", "status",
)  # fmt: skip
_PROBLEMS = ("chief", "code", "kind", "name", "place", "since")
_REMIND = ("chief", "code", "title", "stretches", "open", "overdue", "advised", "soonest", "files")
COLOURS = {
    calendar.DONE: "#2e7d4f", calendar.DUE: "#f3c96b", calendar.OVERDUE: "#c8553d", calendar.PARTLY: "#e39a77",
    calendar.UPCOMING: "#eef3f5", calendar.NOT_OWED: "#d5dde1", calendar.UNRECORDED: "#d5dde1",
}  # fmt: skip
DRAWN_ROWS = 45


def columns(names: Iterable[str]) -> list[str]:
    """Keys of headings of this module in the catalogue of papers."""
    return [f"duty.{n}" for n in names]


def calendar_paper(duties: Duties) -> Paper:
    """The calendar of all chiefs, or of the one it was read for, with a strip for every target."""
    ledger = duties.ledger
    told = ledger[ledger["state"] != calendar.UNRECORDED]
    load = duty.load(duties.held, duties.problems, duties.outlook.distance_m, duties.as_of).set_index("chief_id")
    told_of = duty.summary(ledger).join(load, on="chief_id").fillna(dict.fromkeys(load, 0)) if len(ledger) else ledger
    chiefs = [_chief_row(r) for r in told_of.itertuples()]
    tables = [
        Table("duty_chiefs", columns(_CHIEFS), chiefs, CALENDAR, words.both("patrol_report.duty.unrecorded_note")),
        Table("duty_calendar", columns(_CALENDAR), [calendar_row(r) for r in told.itertuples()], CALENDAR),
    ]
    states = ledger["state"].value_counts()
    tiles = [(f"duty.n_{s}", int(states.get(s, 0))) for s in (calendar.DONE, *calendar.OPEN)]
    drawing = strips(duties) if 0 < ledger.groupby(["chief_id", "waters", "what"]).ngroups <= DRAWN_ROWS else None
    return _paper("calendar_title", duties, tables, tiles, drawing)


def next_paper(duties: Duties, waiting: pd.DataFrame) -> Paper:
    """Stretches that wait for a patrol, the most urgent first."""
    table = Table("duty_next", columns(_NEXT), [next_row(r) for r in waiting.itertuples()], NEXT)
    tiles = [
        ("duty.open", int((waiting["missing"] > 0).sum())),
        ("duty.overdue", int((waiting["overdue_days"] > 0).sum())),
        ("duty.advised", int((waiting["extra"] > 0).sum())),
    ]
    return _paper("next_title", duties, [table], tiles, None)


def remind_paper(duties: Duties, cards: Sequence[Card], waiting: pd.DataFrame, files: Sequence[str]) -> Paper:
    """Who is sent a card, and every stretch that waits."""
    rows = [
        (c.chief, c.code, c.title, len(c.lines) + c.more_lines, c.open, c.overdue, c.advised, _day(c.soonest), f)
        for c, f in zip(cards, files, strict=True)
    ]
    reminded = Table("duty_remind", columns(_REMIND), rows, REMIND)
    stretches = Table("duty_next", columns(_NEXT), [next_row(r) for r in waiting.itertuples()], NEXT)
    near = [(c.chief, c.code, p.kind, p.name, p.where, _day(p.since)) for c in cards for p in c.problems]
    problems = Table("duty_problems", columns(_PROBLEMS), near, REMIND)
    tiles = [("duty.cards", len(cards)), ("duty.stretches", len(waiting))]
    return _paper("remind_title", duties, [reminded, stretches, problems], tiles, None)


def _paper(
    title: str, duties: Duties, tables: Sequence[Table], tiles: Sequence[tuple[str, Any]], drawing: str | None
) -> Paper:
    zh, en = words.pair(f"patrol_report.duty.{title}")
    about = [
        (words.both("patrol_report.duty.as_of"), str(duties.as_of)),
        (words.both("patrol_report.duty.span"), f"{duties.first} — {duties.last}"),
        (words.both("patrol_report.duty.recorded_since"), str(duties.recorded_since or "—")),
    ]
    return Paper(
        title_zh=zh,
        title_en=en,
        known_at=duties.known_at,
        about=about,
        tables=tables,
        tiles=tiles,
        rules=duties.rules,
        drawing=drawing,
        drawing_note=words.both("patrol_report.duty.strips_note") if drawing else None,
        demo=duties.demo,
    )


def calendar_row(r: Any) -> tuple[Any, ...]:
    """One row of a calendar in words (``_CALENDAR``); the basis of each frequency stands in the table of rules."""
    share = None if pd.isna(r.share) else round(100 * float(r.share), 1)
    what = f" {words.say('patrol_report.duty.what_sweep')}" if r.what == calendar.SWEEP else ""
    when = (f"{words.say(f'patrol_report.duty.period_{r.period}')} {r.label}{what}", str(r.begin), str(r.end))
    state = words.both(f"patrol_report.duty.state_{r.state}")
    if not r.announced and r.state in (calendar.OVERDUE, calendar.PARTLY):
        state += f" ({words.both('patrol_report.duty.reference')})"
    warning = words.both(f"level.{r.warning}") if r.warning else None
    return (
        r.chief, r.waters, round(r.assigned_m / 1000, 2), *when, int(r.due), int(r.done), int(r.gps), int(r.entry), state,
        _day(r.last_day), share, warning, notes(r.notes), words.say(f"rule_status.{r.status}"),
    )  # fmt: skip


def notes(told: Sequence[tuple[str, Any]]) -> str | None:
    """Remarks of a calendar row in words, Chinese first."""
    out = []
    for code, value in told:
        given = {"n": value, "day": value}
        if code.startswith("late"):
            given = {"day": value[0], "share": f"{100 * value[1]:.0f}"}
        elif code == "warning_unset":
            given = {"n": words.say(f"level.{value}")}
        out.append(words.both(f"patrol_report.duty.note_{code}", **given))
    return "; ".join(out) or None


def next_row(r: Any) -> tuple[Any, ...]:
    """One stretch of the list of next patrols in words."""
    why = "、".join(words.say(f"duty.reason_{x.when}", n=x.n) for x in r.reasons) or None
    return (
        r.chief, words.both(f"level.{r.level}"), r.river, label(r.from_m), label(r.to_m), words.both(f"bank.{r.bank}"),
        f"{words.say(f'patrol_report.duty.period_{r.period}')} {r.label}", str(r.deadline), int(r.due), int(r.done), int(r.missing),
        int(r.missed_periods), int(r.overdue_days), int(r.extra), why, _day(r.last_left), _day(r.last_right), _day(r.last_entry),
        r.basis, words.both(f"patrol_report.duty.{'announced' if r.announced else 'reference'}"),
    )  # fmt: skip


def _chief_row(r: Any) -> tuple[Any, ...]:
    rest = r.upcoming + r.not_owed + r.unrecorded
    counts = (r.done, r.due, r.overdue, r.partly, rest, r.due_visits, r.done_visits, r.gps_visits, r.entry_visits)
    held = (int(r.stretches), round(r.river_m / 1000, 2), int(r.problems))
    return r.chief, words.both(f"level.{r.level}"), *held, *(int(n) for n in counts)


def _day(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """A calendar or list with plain cells, for a table file: notes and reasons in words, lists joined, every text inert."""
    out = frame.copy()
    if "notes" in out:
        out["notes"] = [notes(n) or "" for n in out["notes"]]
    if "reasons" in out:
        out["reasons"] = ["、".join(words.both(f"duty.reason_{x.when}", n=x.n) for x in r) for r in out["reasons"]]
    for name in ("river_ids", "duty_ids"):
        if name in out:
            out[name] = [" ".join(map(str, ids)) for ids in out[name]]
    return out.map(lambda v: inert(v) if isinstance(v, str) else v)


def strips(duties: Duties) -> str:
    """The calendar as one strip for each target: periods as long as they are, coloured by their state; SVG."""
    groups = list(duties.ledger.groupby(["chief", "chief_id", "waters", "what"], sort=True))
    left, row, width = 190.0, 15.0, 1000.0
    height = row * len(groups) + 44
    days = max((duties.last - duties.first).days + 1, 1)

    def x(day: Any) -> float:
        return left + (width - left - 8) * min(max((day - duties.first).days / days, 0.0), 1.0)

    parts = []
    for i, ((chief, _, waters, what), rows) in enumerate(groups):
        y = 24 + row * i
        name = f"{chief} {waters}" + (
            f" {words.say('patrol_report.duty.what_sweep')}" if what == calendar.SWEEP else ""
        )
        parts.append(f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{escape(name[:22])}</text>')
        parts += [_cell(r, x, y, row) for r in rows.itertuples()]
    for month in pd.date_range(duties.first, duties.last, freq="MS"):
        at = x(month.date())
        parts.append(f'<path d="M{at:.1f} 18V{height - 20}" stroke="#9fb2ba" stroke-width=".5"/>')
        parts.append(f'<text x="{at + 2:.1f}" y="14" fill="#5c7480">{month:%Y-%m}</text>')
    today = x(duties.as_of)
    parts.append(f'<path d="M{today:.1f} 14V{height - 18}" stroke="#16303a" stroke-width="1.5"/>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-size="9.5">'
    return f"{head}{''.join(parts)}{_legend(height)}</svg>"


def _cell(r: Any, x: Any, y: float, row: float) -> str:
    begin, end = x(r.begin), x(r.end + pd.Timedelta(days=1))
    told = f"{r.label}: {words.say(f'patrol_report.duty.state_{r.state}')} {int(r.done)}/{int(r.due)}"
    # done by word only has a hollow middle
    core = f'<rect x="{begin + 3:.1f}" y="{y + 5}" width="{max(end - begin - 7, 1):.1f}" height="3" fill="#fff"/>'
    hollow = core if r.state == calendar.DONE and r.gps < r.due else ""
    return (
        f'<rect x="{begin + 0.5:.1f}" y="{y}" width="{max(end - begin - 1, 0.8):.1f}" height="{row - 3}" rx="1.5" '
        f'fill="{COLOURS[r.state]}"><title>{escape(told)}</title></rect>{hollow}'
    )


def _legend(height: float) -> str:
    out, at = [], 190.0
    for state in (
        calendar.DONE,
        calendar.DUE,
        calendar.OVERDUE,
        calendar.PARTLY,
        calendar.UPCOMING,
        calendar.UNRECORDED,
    ):
        name = words.both(f"patrol_report.duty.state_{state}")
        out.append(
            f'<rect x="{at}" y="{height - 13}" width="12" height="9" fill="{COLOURS[state]}" stroke="#c3ced3" stroke-width=".5"/>'
        )
        out.append(f'<text x="{at + 15}" y="{height - 5}">{escape(name)}</text>')
        at += 26 + sum(9.6 if ord(c) > 0x2E80 else 5.3 for c in name)
    return "".join(out)
