"""“四乱”定期报告: what a week, month or quarter brought (found, verified, rectified, closed, rebound), and what is open after it.

By township and class; every figure is the number of rows that stand under it and is the same again whenever it is asked for with
the moment that stands on the paper. Register ids D16, E12.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.encroachment import list_store, store
from rivergis.encroachment.progress import PERIOD, TOPICS, happened, standing
from rivergis.errors import InputError, UsageError
from rivergis.intake import shown
from rivergis.reports import case_rows, case_scope
from rivergis.reports.case_rows import class_name, number, place, state_name, table
from rivergis.reports.case_scope import Scope
from rivergis.reports.case_trace import Trace, by, named
from rivergis.reports.case_trace import rows as rows_of
from rivergis.reports.patrol_paper import SHANGHAI, Paper, Table
from rivergis.rules import RuleBook

STOCK = ("open_stock", "open_increment")
PHOTOS = 60  # a weekly summary stays printable; further pictures stand in the evidence packs
_PHOTO_PX = 360


def figures_of(asked: Scope) -> tuple[str, ...]:
    """Figures of a period; stock and increment are told apart only where a baseline is signed."""
    return (*PERIOD, "open", *(STOCK if asked.signed else ("open_unsigned",)), "overdue")


def flags(conn: Connection, rules: RuleBook, asked: Scope, first: date) -> pd.DataFrame:
    """Cases known by the last day, with a boolean column for each figure: what happened from ``first`` to that day, and whether they
    are open at its end."""
    if first > asked.on:
        raise UsageError(f"The period ends on {asked.on}, before it begins on {first}: give --from and --to in order.")
    cases = _four(case_scope.cases(conn, asked, rules))
    ends = datetime.combine(asked.on + timedelta(days=1), time(), SHANGHAI)
    # a night of the last day is recorded the morning after; what people did after the last day is not of the period
    then = cases if asked.known_at <= ends else _standing_then(conn, asked.upto(ends), cases)
    told = happened(then, list_store.flow(conn, first, asked.on, asked.known_at), first, asked.on)
    state = standing(then).set_index("id").reindex(told["id"])
    for name in ("open", "overdue"):
        told[name] = state[name].fillna(False).astype(bool).to_numpy()
    stock = told["stock"].astype(bool)
    told["open_stock"], told["open_increment"] = told["open"] & stock, told["open"] & ~stock
    told["open_unsigned"] = told["open"]
    return told


def _four(cases: pd.DataFrame) -> pd.DataFrame:
    return cases[cases["topic"].isin(TOPICS)].reset_index(drop=True)


def _standing_then(conn: Connection, at_end: Scope, cases: pd.DataFrame) -> pd.DataFrame:
    """The same cases with the state and the clock they had at the end of the period."""
    columns = ["state", "overdue_days", "looked_back_at", "rebounds"]
    before = list_store.cases(conn, at_end.on, at_end.known_at).set_index("id")[columns]
    then = before.reindex(cases["id"]).reset_index(drop=True)
    then["state"] = then["state"].fillna("found")
    return cases.assign(**{c: then[c] for c in columns})


def paper(
    conn: Connection, rules: RuleBook, asked: Scope, first: date, *, kind: str = "period", store_dir: Path | None = None
) -> Paper:
    """The report; ``kind``: week, month, quarter or period, for its title; with ``store_dir`` photos of what was found stand in it."""
    told = flags(conn, rules, asked, first)
    names = figures_of(asked)
    trace = Trace(told)
    whole = dict(zip(names, trace.figures(told, names), strict=True))
    zh, en = words.pair(f"patrol_report.case.report_{kind}")
    tables = [
        _towns(told, names, trace),
        _groups(told, names, trace),
        _classes(told, names, trace),
        rows_of(told, names),
    ]
    about = asked.about([(words.both("patrol_report.case.period"), f"{first} — {asked.on}")])
    return Paper(
        f"{asked.name} {zh}({first} — {asked.on})",
        en,
        asked.known_at,
        about,
        [*tables, trace.sources()],
        [(f"case.{k}", v) for k, v in whole.items()],
        demo=asked.demo,
        figures={"total": {k: int(v) for k, v in whole.items()}, "cases": trace.cases},
        drawing=_photos(conn, told, store_dir) if store_dir else None,
        footer="case.footer",
    )


def _towns(told: pd.DataFrame, names: Sequence[str], trace: Trace) -> Table:
    rows = [
        (*named(k), *trace.figures(own, names, " ".join(named(k))))
        for k, own in by(told, ("county", "town"))
        if _any(own, names)
    ]
    note = words.both("patrol_report.case.period_note")
    return table("by_town", ("county", "town", *names), [*rows, _sum(told, names, 2)], "case_period", note)


def _groups(told: pd.DataFrame, names: Sequence[str], trace: Trace) -> Table:
    rows = [(*named(k), *trace.figures(own, names, named(k)[0])) for k, own in by(told, ("group",)) if _any(own, names)]
    return table("by_group", ("group", *names), [*rows, _sum(told, names, 1)], "case_period")


def _classes(told: pd.DataFrame, names: Sequence[str], trace: Trace) -> Table:
    rows = []
    for (group, code), own in by(told, ("group", "class_code")):
        if _any(own, names):
            part = class_name(code) or words.say("patrol_report.case.unknown")
            rows.append((*named((group,)), part, *trace.figures(own, names, part)))
    return table("by_class", ("group", "class", *names), [*rows, _sum(told, names, 2)], "case_period")


def _any(own: pd.DataFrame, names: Sequence[str]) -> bool:
    return bool(own[list(names)].any(axis=None))


def _sum(told: pd.DataFrame, names: Sequence[str], width: int) -> Sequence[Any]:
    blank = [words.say("patrol_report.case.all"), *[None] * (width - 1)]
    return (*blank, *(int(told[n].sum()) for n in names))


def _photos(conn: Connection, told: pd.DataFrame, store_dir: Path) -> str | None:
    """问题照片 a picture of each case that was found in the period, as it may be shown: pixels only, no place, time or maker."""
    parts: list[str] = []
    for c in case_rows.records(told[told["found"] | told["confirmed"]]):
        for picture in store.record_of(conn, str(c["id"]))["evidence"]:
            if len(parts) < PHOTOS and picture["kind"] == "photo" and (src := _src(store_dir / picture["file_path"])):
                caption = escape(f"{number(c)} {place(c)} {class_name(c['class_code']) or ''}")
                parts.append(f'<span class="photo"><img src="{src}" alt="{caption}"><small>{caption}</small></span>')
                break
    return f'<div class="photos">{"".join(parts)}</div>' if parts else None


def _src(file: Path) -> str | None:
    """A small picture written into the page; None where there is none to be shown."""
    try:
        content, kind = shown.shown(file)
    except (InputError, OSError):
        return None
    return f"data:{kind};base64,{base64.b64encode(_small(content)).decode()}"


def _small(content: bytes) -> bytes:
    import io

    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        image.thumbnail((_PHOTO_PX, _PHOTO_PX))
        out = io.BytesIO()
        image.save(out, image.format or "JPEG")
    return out.getvalue()


def rectification(conn: Connection, rules: RuleBook, asked: Scope, first: date) -> Paper:
    """整改报告 a draft: sentences whose figures lead to their rows, progress by township and class, what is late, what comes next.
    Register id E9. People finish it; it blames nobody."""
    stand = standing(_four(case_scope.cases(conn, asked, rules)))
    stand = stand[stand["problems"] | stand["listed"]].reset_index(drop=True)
    stand["sent"] = pd.to_numeric(stand["sent_back"]).fillna(0) > 0
    trace = Trace(stand)
    zh, en = words.pair("patrol_report.case.rectification")
    names = ("problems", "rectified", "closed", "open", "overdue", "rebounds", "listed")
    prose = _prose(stand, trace, asked, first)
    rows = case_rows.records(stand)
    late = [c for c in rows if c["overdue"] or c["sent"] or c["rebounds"]]
    tables = [
        table("by_town", ("county", "town", *names), _parts(stand, ("county", "town"), names, trace), "case_progress"),
        table("by_group", ("group", *names), _parts(stand, ("group",), names, trace), "case_progress"),
        table("late", _LATE, [_late(c) for c in late], "case_late"),
        table("items", _ITEMS, [_item(c) for c in rows], "case_rows"),
        trace.sources(),
    ]
    tiles = [(f"case.{n}", int(stand[n].sum())) for n in names]
    about = asked.about([(words.both("patrol_report.case.period"), f"{first} — {asked.on}")])
    return Paper(
        f"{asked.name} {zh}", en, asked.known_at, about, tables, tiles, demo=asked.demo, prose=prose, footer="case.draft_footer",
        figures={"total": {n: int(stand[n].sum()) for n in names}, "cases": trace.cases},
    )  # fmt: skip


_LATE = ("number", "place", "class", "deadline", "overdue_days", "sent_back", "rebounds_n", "responsible", "state")
_ITEMS = (
    "number",
    "place",
    "class",
    "severity",
    "measure",
    "responsible",
    "deadline",
    "rectified_on",
    "accepted_on",
    "closed_on",
    "state",
)


def _late(c: Mapping[str, Any]) -> Sequence[Any]:
    late = int(c["overdue_days"] or 0) or None
    back = int(c["sent_back"] or 0) or None
    again = 1 if c["rebounds"] else None
    return (
        number(c),
        place(c),
        class_name(c["class_code"]),
        c["deadline"],
        late,
        back,
        again,
        _offices(c),
        state_name(c["state"]),
    )


def _item(c: Mapping[str, Any]) -> Sequence[Any]:
    return (
        number(c), place(c), class_name(c["class_code"]), case_rows.severity(c), c["measure"], _offices(c), c["deadline"], c["rectified_on"],
        c["accepted_on"], c["closed_on"], state_name(c["state"]),
    )  # fmt: skip


def _offices(c: Mapping[str, Any]) -> str | None:
    told = [case_rows.units(c, r, names=False) for r in ("lead", "responsible")]
    return "、".join(t for t in told if t) or None


def _parts(stand: pd.DataFrame, columns: Sequence[str], names: Sequence[str], trace: Trace) -> list[Sequence[Any]]:
    rows = [(*named(k), *trace.figures(own, names, " ".join(named(k)))) for k, own in by(stand, columns)]
    return [*rows, _sum(stand, names, len(columns))]


def _prose(stand: pd.DataFrame, trace: Trace, asked: Scope, first: date) -> Any:
    """The sentences of the draft: template words of the catalogue with figures in their places."""
    names = (
        "problems",
        "listed",
        "rectified",
        "closed",
        "open",
        "overdue",
        "to_assign",
        "in_hand",
        "to_accept",
        "to_close",
        "sent",
        "rebounds",
        "rechecked",
    )
    told = {n: trace.figure(stand, n) for n in names}
    problems = int(told["problems"])
    values: dict[str, Any] = {
        **told, "scope": asked.name, "first": first.isoformat(), "on": asked.on.isoformat(),
        "closed_share": _percent(int(told["closed"]), problems), "rectified_share": _percent(int(told["rectified"]), problems),
    }  # fmt: skip
    chapters = ("general", "progress", "problems", "next")
    return [
        (
            words.say(f"patrol_report.case.chapter_{c}"),
            [_filled(p, values) for p in words.say(f"patrol_report.case.text_{c}").split("\n") if p.strip()],
        )
        for c in chapters
    ]


def _percent(part: int, of: int) -> str:
    return "—" if of == 0 else f"{100 * part / of:.1f}%"


def _filled(text: str, values: Mapping[str, Any]) -> list[Any]:
    """A sentence with ``{name}`` places as its parts: words, and figures that lead to their rows."""
    from string import Formatter

    out: list[Any] = []
    for before, name, _, _ in Formatter().parse(text.strip()):
        out += [before] if before else []
        if name is not None:
            value = values[name]
            out.append(value if isinstance(value, int) and not isinstance(value, bool) else str(value))
    return [p if hasattr(p, "href") else str(p) for p in out]
