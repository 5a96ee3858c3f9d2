"""Batch entry of paper logs (纸质巡河日志录入): a pile typed by keyboard, good rows kept, wrong ones told beside what was typed."""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from rivergis import rules, words
from rivergis.db import system
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotFound
from rivergis.patrol import entry_store, entry_workflow, paper, scan_files, typed
from rivergis.patrol.entry_workflow import Entered
from rivergis.patrol.typed import Scan, Typed
from rivergis.reports import book
from rivergis.river import store as river_store
from rivergis.rules import RuleView
from rivergis.web import page
from rivergis.web.auth import database, require

router = APIRouter(include_in_schema=False)
Clerk = Annotated[Actor, Depends(require("import"))]
ROWS = 12
MAX_ROWS = 60
MAX_TEXT = 1_000
MAX_SCAN = 8 << 20
MAX_BODY = ROWS * MAX_SCAN + (1 << 20)
KINDS = tuple(k for k in typed.TYPED_KINDS if k != "hand_drawn")  # a drawn line needs its file: command line
_TEXT = ("sheet", "kind", "day", "begin", "end", "river", "bank", "started", "ended", "minutes", "metres", "problems", "person", "note")  # fmt: skip
_AS_ABOVE = ("sheet", "kind", "day")
# what a row is filled in by; kind and bank always stand at something
_FILLED = tuple(f for f in _TEXT if f not in ("kind", "bank"))
_RECENT = 15


@dataclass(frozen=True)
class FormRow:
    """One row of the form as it was sent: text by field, its scan, and what is wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    scan: Scan | None = None
    problems: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


@router.get("/patrol/entry", response_class=HTMLResponse)
def form(request: Request, _: Clerk) -> HTMLResponse:
    """The empty form."""
    return _page(request, [])


@router.get("/patrol/entry/{entry_id}/scan", response_class=FileResponse)
def scan(
    request: Request, actor: Annotated[Actor, Depends(require("view_tracks"))], entry_id: uuid.UUID
) -> FileResponse:
    """The scan of a sheet (personal data: every view is in the audit)."""
    db, store_dir = database(request), request.app.state.settings.store_dir
    with db.read() as conn:
        found = entry_store.by_id(conn, [entry_id]).to_dict("records")
    kept = scan_files.kept(found[0]["scan_sha256"] or "", store_dir) if found else None
    if kept is None:
        raise NotFound("There is no scan of this entry in the store.")
    with db.write(actor.name) as conn:
        system.audit(conn, actor.name, "view", f"patrol_entry:{entry_id}")
    kind = mimetypes.guess_type(kept.path)[0] or "application/octet-stream"
    shown = "inline" if kind in ("image/png", "image/jpeg") else "attachment"
    return FileResponse(
        store_dir / kept.path, media_type=kind, filename=Path(kept.path).name, content_disposition_type=shown
    )


@router.post("/patrol/entry", response_class=HTMLResponse, max_body_size=MAX_BODY)
async def save(request: Request, actor: Clerk) -> HTMLResponse:
    """Save the good rows of a pile; the others come back as they were typed, each with what is wrong."""
    async with request.form(max_files=MAX_ROWS, max_fields=MAX_ROWS * (len(_TEXT) + 2), max_part_size=64 << 10) as sent:
        scans = {i: await _content(sent.get(f"scan-{i}")) for i in range(MAX_ROWS)}
        return await run_in_threadpool(_save, request, actor, sent, scans)


async def _content(sent: Any) -> tuple[str, bytes] | None:
    """Name and bytes of an uploaded file; None where none was chosen."""
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None
    return sent.filename, await sent.read(MAX_SCAN + 1)


def _save(request: Request, actor: Actor, sent: FormData, scans: dict[int, tuple[str, bytes] | None]) -> HTMLResponse:
    store_dir = request.app.state.settings.store_dir
    rows = _as_above([r for i in range(MAX_ROWS) if (r := _row(sent, i, scans[i], store_dir)) is not None])
    good = [r for r in rows if not r.problems]
    pile = [Typed(**{**_typed(r), "scan": r.scan}) for r in good]
    done = entry_workflow.enter(database(request), pile, actor=actor.name, view=_view(request))
    told = dict(zip(map(id, good), done, strict=True))
    wrong = [_with(r, told.get(id(r))) for r in rows if id(r) not in told or told[id(r)].problems]
    return _page(request, wrong, [d for d in done if not d.problems])


def _with(row: FormRow, done: Entered | None) -> FormRow:
    return row if done is None else FormRow(row.values, row.scan, done.problems)


def _row(sent: FormData, i: int, scan: tuple[str, bytes] | None, store_dir: Path) -> FormRow | None:
    """Row ``i`` of the form, or None where nothing was typed into it."""
    values = {name: str(sent.get(f"{name}-{i}", "")).strip() for name in _TEXT}
    before = scan_files.kept(str(sent.get(f"kept-{i}", "")), store_dir)
    if not any(values[name] for name in _FILLED) and scan is None and before is None:
        return None
    if any(len(v) > MAX_TEXT for v in values.values()):
        return FormRow(values, before, [words.both("entry_problem.long", most=MAX_TEXT)])
    try:
        return FormRow(values, before if scan is None else _kept(*scan, store_dir))
    except InputError as error:
        return FormRow(values, before, [entry_workflow.worded(error)])


def _kept(name: str, content: bytes, store_dir: Path) -> Scan:
    if len(content) > MAX_SCAN:
        raise InputError(
            f"{name} is larger than {MAX_SCAN >> 20} MB.",
            problem="scan_large",
            said=name,
            proposals=[f"{MAX_SCAN >> 20} MB"],
        )
    return scan_files.keep(content, name, store_dir)


def _as_above(rows: list[FormRow]) -> list[FormRow]:
    """Sheet, day and kind that a row leaves blank are those of the row above it."""
    out: list[FormRow] = []
    for row in rows:
        above = out[-1].values if out else {}
        filled = {name: row[name] or above.get(name, "") for name in _AS_ABOVE}
        out.append(FormRow({**row.values, **filled}, row.scan, row.problems))
    return out


def _typed(row: FormRow) -> dict[str, Any]:
    own = {name: value for name, value in row.values.items() if name not in ("sheet", "kind", "bank")}
    return {**own, "chief": row["sheet"], "kind": row["kind"] or "paper", "bank": row["bank"] or "both"}


def _view(request: Request) -> RuleView:
    today = date.today()
    with database(request).read() as conn:
        place = river_store.home(conn, today, now_of(conn)) or rules.NATIONAL
    return _view_of(request.app.state.settings.rules_dir, rules.path_of(place), today)


@lru_cache(maxsize=4)
def _view_of(rules_dir: Path, path: tuple[str, ...], on: date) -> RuleView:
    """The rules of a place, read once a day."""
    return rules.load(rules_dir).at(path, on)


def _page(request: Request, wrong: list[FormRow], saved: list[Entered] | None = None) -> HTMLResponse:
    """The form with the rows that are wrong, empty ones after them, and what was entered lately."""
    today, view = datetime.now(page.SHANGHAI).date(), _view(request)
    with database(request).read() as conn:
        choices = _choices(entry_workflow.ground(conn, today, view))
        recent = entry_store.latest(conn, typed.TYPED_KINDS, _RECENT)
        demo = book.is_demo(conn)
    rows = [*wrong, *([FormRow()] * max(ROWS - len(wrong), 3))][:MAX_ROWS]
    html = page.text(
        request, "patrol_entry.html", rows=rows, wrong=wrong, saved=saved, choices=choices, kinds=KINDS, today=today,
        recent=recent.to_dict("records"), demo=demo, both=words.both,
    )  # fmt: skip
    return page.scripted_form(html, 200 if not wrong else 422)


def _choices(g: entry_workflow.Ground) -> dict[str, Any]:
    """What the fields offer: sheets with their chiefs, and the landmarks of the rivers of each sheet."""
    rivers = g.rivers.set_index("id")
    marks = g.gazetteer.marks[g.gazetteer.marks["at_m"].notna()]
    chiefs = g.chiefs.set_index("id")
    sheets, places = [], {}
    for chief, own in g.duties.groupby("chief_id", sort=False):
        if chief not in chiefs.index:
            continue
        row = chiefs.loc[chief]
        on = [str(rivers.loc[r, "code"]) for r in dict.fromkeys(own["river_id"]) if r in rivers.index]
        sheets.append(
            {
                "number": paper.number_of(chief),
                "chief": f"{row['name']} {row['title'] or ''} {row['code']}",
                "code": row["code"],
                "rivers": on,
            }
        )
    for river, own in marks.groupby("river_code"):
        places[str(river)] = [
            [m.name, f"{m.river} {g.gazetteer.label(m.river_id, m.at_m)}"] for m in own.itertuples(index=False)
        ]
    return {"sheets": sorted(sheets, key=lambda s: str(s["chief"])), "places": places}
