"""``rivergis boundary version``: drafts of boundary lines, their review, the announcement, and what is law on any day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.boundary.law.reduction_workflow import Limits
    from rivergis.db.connect import Database

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
OUT = click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="File to write: .gpkg, .geojson, .csv or .json."
)
REASON = click.option("--reason", required=True, help="Why; it is kept for good.")
ON = click.option("--on", type=common.CivilDay(), default=None, help="Civil day (default: today).")
KNOWN = click.option("--known-at", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), default=None, help="As known at this moment, Beijing time (default: now).")  # fmt: skip


@click.group("version")
def version() -> None:
    """Drafts (草案), their review, the announcement (公告), and what is law on any day.

    \b
    A draft goes 内部草稿 draft → 已送审 submitted → 已审查 reviewed → 已公告 announced; from its day it is in force, after
    a newer one superseded. Who drew or submitted it neither reviews nor announces it. Nothing announced is changed.
    """


def _today(day: datetime | None) -> date:
    return (day or datetime.now(common.SHANGHAI)).date()


def _limits(adcode: str, on: date) -> Limits:
    from rivergis import rules
    from rivergis.boundary.law.reduction_workflow import Limits

    return Limits.of(rules.load(common.settings().rules_dir).at(rules.path_of(adcode), on))


def _draft(db: Database, code: str) -> dict[str, Any]:
    from rivergis.boundary.law import draft_workflow

    with db.read() as conn:
        return draft_workflow.get(conn, code)


@version.command("open")
@click.argument("code")
@click.option("--title", required=True, help="What the draft is about.")
@click.option("--river", "rivers", multiple=True, metavar="CODE", help="River whose announced lines it starts from; may be given more than once. With --lines: the river of lines that name none.")  # fmt: skip
@click.option("--lines", type=FILE, default=None, help="Lines to start from instead: a file of 'boundary draft', or of survey software.")  # fmt: skip
@click.option("--type", "line_type", type=click.Choice(["management", "protection", "blue_line", "waterside", "outer"]), default="management", show_default=True, help="Type of the lines.")  # fmt: skip
@click.option(
    "--place", "adcode", default="000000", show_default=True, metavar="ADCODE", help="Place whose rules hold."
)
@click.option("--namespace", default="local", show_default=True, help="Who gave the codes of the rivers.")
@click.option("--sketch", is_flag=True, help="示意: from coarse elevations, for orientation; it cannot be submitted.")
@ON
@common.reading_options
@common.actor_option
@common.json_option
def open_(
    code: str, title: str, rivers: tuple[str, ...], lines: Path | None, line_type: str, adcode: str, namespace: str, sketch: bool,
    on: datetime | None, source_layer: str | None, crs: str | None, datum: str | None, encoding: str | None, actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Open a draft on the announced lines in force, or with the lines of a file.

    \b
    Example:
      rivergis boundary version open 2026-01 --title 试验河划界调整 --river R001
      rivergis boundary version open 2026-02 --title 新划 --lines draft.gpkg
    """
    from rivergis.boundary.law import draft_workflow, version_files
    from rivergis.errors import UsageError
    from rivergis.intake.delivery import Asked

    if not rivers and lines is None:
        raise UsageError("A draft starts from the lines of rivers (--river CODE) or from a file (--lines FILE).")
    db = common.database()
    who = common.acting(db, actor, "draft_boundary")
    frame = None
    if lines is not None:
        frame = version_files.read(
            lines, Asked(source_layer, crs, datum, encoding), river_code=rivers[0] if rivers else None
        )
    made = draft_workflow.open_draft(
        db, code=code, title=title, actor=who, namespace=namespace, on=_today(on), line_type=line_type, adcode=adcode,
        rivers=rivers, lines=frame, sketch=sketch,
    )  # fmt: skip
    common.emit(
        made,
        as_json,
        f"草案 draft {made.code}: {made.segments} 段界线 stretches of line, 第 {made.revision} 版 revision {made.revision}",
    )


@version.command("drafts")
@common.json_option
def drafts(as_json: bool) -> None:
    """All drafts with their state, the last changed first."""
    from rivergis import words
    from rivergis.boundary.law import draft_store

    with common.database().read() as conn:
        rows = draft_store.listed(conn)
    if as_json:
        common.emit(common.rows_of(rows), True)
        return
    common.table(
        ["草案 draft", "名称 title", "状态 state", "版 rev.", "段 stretches", "最后修改 changed", "修改人 by"],
        [
            [r.code, r.title, words.both(f"state.boundary_draft.{r.state}"), r.revision, r.segments, common.beijing(r.changed_at), r.changed_by]
            for r in rows.itertuples()
        ],
    )  # fmt: skip


@version.command("load")
@click.argument("code")
@click.option("--revision", type=int, default=None, help="Revision (default: the last).")
@click.option("--at", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), default=None, help="As it stood at this moment, Beijing time.")  # fmt: skip
@OUT
@common.json_option
def load(code: str, revision: int | None, at: datetime | None, out: Path | None, as_json: bool) -> None:
    """The lines of a draft to a file, to be edited in any desktop GIS and saved again; or as they stood before.

    \b
    Example:
      rivergis boundary version load 2026-01 --out work.gpkg
    """
    from rivergis.boundary.law import draft_store, draft_workflow, version_files
    from rivergis.errors import NotFound

    with common.database().read() as conn:
        draft = draft_workflow.get(conn, code)
        if at is not None:
            revision = draft_store.revision_at(conn, draft["id"], at.replace(tzinfo=common.SHANGHAI))
        number = draft["revision"] if revision is None else revision
        if not 0 <= number <= draft["revision"]:
            raise NotFound(f"The draft {draft['code']} has no revision {number}; its last one is {draft['revision']}.")
        frame = version_files.out(draft_workflow.segments(conn, draft, number), draft, number)
    common.deliver(frame, out, as_json, "lines")


@version.command("save")
@click.argument("code")
@click.argument("lines", type=FILE)
@click.option(
    "--base", "base", type=int, default=None, help="Revision the work began with (default: as the file says)."
)
@REASON
@common.reading_options
@common.actor_option
@common.json_option
def save(
    code: str, lines: Path, base: int | None, reason: str, source_layer: str | None, crs: str | None, datum: str | None,
    encoding: str | None, actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Save an edited file: what is new was drawn, what is missing was taken out; merged with what others saved meanwhile.

    Where both touched the same, nothing is saved and both shapes are told (exit 2, with --json as GeoJSON).

    \b
    Example:
      rivergis boundary version save 2026-01 work.gpkg --reason 左岸按堤脚线改
    """
    from rivergis.boundary.law import draft_workflow, version_files
    from rivergis.errors import UsageError
    from rivergis.intake.delivery import Asked

    frame = version_files.read(lines, Asked(source_layer, crs, datum, encoding))
    if base is None:
        said = set(frame["revision"].dropna()) if "revision" in frame else set()
        if len(said) != 1:
            raise UsageError(f"{lines.name} does not say which revision it came from: name it with --base.")
        base = int(said.pop())
    db = common.database()
    made = draft_workflow.save_file(db, code, base, frame, common.acting(db, actor, "draft_boundary"), reason=reason)
    told = "与他人修改已合并 merged with what others saved; " if made.merged else ""
    common.emit(made, as_json, f"草案 draft {made.code} 第 {made.revision} 版 revision {made.revision}: {told}{made.put} 段改绘 put, {made.removed} 段移除 taken out")  # fmt: skip


@version.command("show")
@click.argument("code")
@common.json_option
def show(code: str, as_json: bool) -> None:
    """A draft: its state, its saves and its moves, with who, when and why."""
    from rivergis import words
    from rivergis.boundary.law import draft_store
    from rivergis.boundary.law import move_workflow as draft_move_workflow

    db = common.database()
    draft = _draft(db, code)
    with db.read() as conn:
        changes = draft_store.changes(conn, draft["id"])
        events = draft_store.events(conn, draft_id=draft["id"])
        table, sha256 = draft_move_workflow.submitted_table(conn, draft)
    if as_json:
        common.emit(
            {
                "draft": draft,
                "changes": common.rows_of(changes),
                "events": events,
                "reductions": table,
                "table_sha256": sha256,
            },
            True,
        )
        return
    common.say(f"{draft['code']} {draft['title']} · {words.both('state.boundary_draft.' + draft['state'])} · 第 {draft['revision']} 版 revision {draft['revision']} · 内部草稿·非测绘成果")  # fmt: skip
    common.table(
        ["版 rev.", "时间 when", "谁 who", "改 put", "移除 out", "事由 reason"],
        [
            [r.revision, common.beijing(r.recorded_at), r.actor, r.put, r.removed, r.reason]
            for r in changes.itertuples()
        ],
        "修改 saves",
    )
    common.table(
        ["环节 move", "时间 when", "谁 who", "版 rev.", "事由 reason"],
        [[e["move"], common.beijing(e["recorded_at"]), e["actor"], e["revision"], e["reason"]] for e in events],
        "流程 moves",
    )
    _say_reductions(table, sha256)


def _say_reductions(table: list[dict[str, Any]], sha256: str) -> None:
    if not table:
        return
    common.table(
        ["", "河流 river", "岸 bank", "位置 stretch", "m²", "涉及线索 open cases", "缩小事由 reason"],
        [
            [n, r["river"], r["bank"] or "", r["stretch"], f"{r['area_m2']:.0f}", " ".join(r["cases"]), r["reason"]]
            for n, r in enumerate(table, 1)
        ],
        "缩小登记表 reductions of announced areas",
    )
    common.say(f"会签编号 number to countersign: {sha256[:8]}")


def _whys(said: tuple[str, ...]) -> Mapping[str, str]:
    """``NUMBER=REASON`` or one reason for all."""
    out: dict[str, str] = {}
    for text in said:
        number, sign, reason = text.partition("=")
        if sign and number.strip().isdecimal():
            out[number.strip()] = reason.strip()
        else:
            out["*"] = text.strip()
    return out


def _move(name: str, capability: str, about: str) -> click.Command:
    """A move that needs a reason only."""

    @click.command(name, help=about)
    @click.argument("code")
    @REASON
    @common.actor_option
    @common.json_option
    def command(code: str, reason: str, actor: str | None, as_json: bool) -> None:
        _take(code, name.replace("-", "_"), capability, reason, actor, as_json)

    return command


def _take(code: str, move: str, capability: str, reason: str, actor: str | None, as_json: bool, **more: Any) -> None:
    from rivergis import words
    from rivergis.boundary.law import move_workflow as draft_move_workflow

    db = common.database()
    draft = _draft(db, code)
    made = draft_move_workflow.move(
        db, code, move, common.acting(db, actor, capability), reason=reason,
        limits=_limits(draft["adcode"], draft["based_on"]), **more,
    )  # fmt: skip
    common.emit(made, as_json, f"草案 draft {made.code}: {words.both('state.boundary_draft.' + made.state)}")
    if not as_json and made.reductions:
        _say_reductions([r.as_dict() for r in made.reductions], made.table_sha256)


@version.command("submit")
@click.argument("code")
@click.option("--why", "whys", multiple=True, metavar="[NUMBER=]REASON", help="Why ground leaves an announced area: for one reduction by its number, or for all.")  # fmt: skip
@REASON
@common.actor_option
@common.json_option
def submit(code: str, whys: tuple[str, ...], reason: str, actor: str | None, as_json: bool) -> None:
    """Submit a draft for review (送审). Every reduction of an announced area needs its reason.

    \b
    Example:
      rivergis boundary version submit 2026-01 --reason 年度复核 --why 1=原线误入坡顶
    """
    _take(code, "submit", "draft_boundary", reason, actor, as_json, reasons=_whys(whys))


@version.command("review")
@click.argument("code")
@click.option("--countersign", default="", metavar="NUMBER", help="Number of the table of reductions, as read.")
@REASON
@common.actor_option
@common.json_option
def review(code: str, countersign: str, reason: str, actor: str | None, as_json: bool) -> None:
    """Review a submitted draft (审查); its table of reductions is countersigned by its number. Not by who drew it.

    \b
    Example:
      rivergis boundary version review 2026-01 --reason 同意 --countersign 1a2b3c4d --as wang
    """
    _take(code, "review", "review_boundary", reason, actor, as_json, countersign=countersign)


@version.command("announce")
@click.argument("code")
@click.option("--file", "file", type=FILE, required=True, help="The announcement itself (公告文件); it is kept.")
@click.option("--government", required=True, help="Announcing government (公告机关).")
@click.option("--number", "document_no", required=True, help="Number of the document (文号).")
@click.option("--date", "announced_on", type=common.CivilDay(), required=True, help="Date of the announcement.")
@click.option(
    "--from", "in_force_from", type=common.CivilDay(), default=None, help="Day from which it holds (default: the date)."
)
@click.option("--publisher", required=True, help="Who published it (发布单位).")
@click.option("--scale", "survey_scale", type=click.IntRange(100, 1_000_000), default=None, help="Denominator of the survey scale.")  # fmt: skip
@click.option("--error", "xy_error_m", type=click.FloatRange(0, 1000), default=None, help="Position error of the lines, one sigma, m.")  # fmt: skip
@REASON
@common.actor_option
@common.json_option
def announce(
    code: str, file: Path, government: str, document_no: str, announced_on: datetime, in_force_from: datetime | None, publisher: str,
    survey_scale: int | None, xy_error_m: float | None, reason: str, actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Record that the government announced a reviewed draft: its lines are law from their day, what they replace ends.

    \b
    Example:
      rivergis boundary version announce 2026-01 --file 公告.pdf --government 某县人民政府 --number 某府告〔2026〕1号 \\
        --date 2026-07-01 --publisher 某县水利局 --reason 公告
    """
    from rivergis.boundary.law import announce_workflow as law_workflow
    from rivergis.boundary.law.announce_workflow import Announcement

    db = common.database()
    draft = _draft(db, code)
    said = Announcement(
        government, document_no, announced_on.date(), (in_force_from or announced_on).date(), publisher, file, survey_scale, xy_error_m
    )  # fmt: skip
    made = law_workflow.announce(
        db, code, said, common.acting(db, actor, "review_boundary"), reason=reason, store_dir=common.settings().store_dir,
        limits=_limits(draft["adcode"], said.in_force_from),
    )  # fmt: skip
    common.emit(
        made,
        as_json,
        f"已公告 announced: {', '.join(made.delimitations)}, 自 {made.in_force_from} 起施行 in force from that day"
        + (f"; 取代 replaces {', '.join(made.replaces)}" if made.replaces else "")
        + (f"; 缩小 {len(made.reductions)} 处已登记 reductions logged" if made.reductions else ""),
    )


@version.command("attach")
@click.argument("code")
@click.option("--file", "file", type=FILE, required=True, help="The announcement itself (公告文件); it is kept.")
@click.option("--publisher", required=True, help="Who published it (发布单位).")
@REASON
@common.actor_option
def attach(code: str, file: Path, publisher: str, reason: str, actor: str | None) -> None:
    """Keep the file of an announcement with a delimitation that came by an import (补附公告文件)."""
    from rivergis.boundary.law import announce_workflow as law_workflow

    db = common.database()
    sha256, name = law_workflow.attach(
        db, code, common.acting(db, actor, "review_boundary"), reason=reason, publisher=publisher, file=file,
        store_dir=common.settings().store_dir,
    )  # fmt: skip
    common.say(f"{code}: {name} {sha256[:16]}")


@version.command("revoke")
@click.argument("code")
@click.option("--from", "on", type=common.CivilDay(), required=True, help="Day from which it no longer holds.")
@click.option("--authority", required=True, help="Who revoked it, by which document.")
@click.option("--file", "file", type=FILE, required=True, help="The document; it is kept.")
@REASON
@common.actor_option
@common.json_option
def revoke(code: str, on: datetime, authority: str, file: Path, reason: str, actor: str | None, as_json: bool) -> None:
    """Record that an announced delimitation was revoked (废止); the ground it enclosed is logged as a reduction."""
    from rivergis.boundary.law import announce_workflow as law_workflow

    db = common.database()
    made = law_workflow.revoke(
        db, code, on.date(), common.acting(db, actor, "review_boundary"), reason=reason, authority=authority, file=file,
        store_dir=common.settings().store_dir, limits=_limits("000000", on.date()),
    )  # fmt: skip
    common.emit(made, as_json, f"已废止 revoked: {made.code} 自 from {made.from_day}, {made.area_m2:.0f} m²")


@version.command("standing")
@ON
@KNOWN
@OUT
@common.json_option
def standing(on: datetime | None, known_at: datetime | None, out: Path | None, as_json: bool) -> None:
    """Every delimitation with its standing on a day: in force, announced, superseded, revoked; as known now or before.

    \b
    Example:
      rivergis boundary version standing --on 2024-06-30
    """
    from rivergis import words
    from rivergis.boundary.law import draft_store
    from rivergis.db.connect import now_of

    with common.database().read() as conn:
        known = known_at.replace(tzinfo=common.SHANGHAI) if known_at else now_of(conn)
        rows = draft_store.standing(conn, _today(on), known)
    if out is not None or as_json:
        common.deliver(rows, out, as_json, "standing")
        return
    common.table(
        ["划界成果 delimitation", "河流 river", "类型 type", "状态 standing", "公告文号 document", "公告文件 file", "施行 from", "止 until"],
        [
            [r.code, r.river or r.river_code, r.line_type, words.both(f"boundary_standing.{r.standing}"), r.announce_doc_no, r.document_name or ("未附 none kept" if r.basis == "announced" else ""), r.in_force_from, r.in_force_until]
            for r in rows.itertuples()
        ],
    )  # fmt: skip


@version.command("reductions")
@click.option(
    "--place", "adcode", default="000000", show_default=True, metavar="ADCODE", help="Place whose rules hold."
)
@OUT
@common.json_option
def reductions(adcode: str, out: Path | None, as_json: bool) -> None:
    """Every reduction of an announced area so far (缩小登记), with its reason and who countersigned; the last first.

    Those that came by an import and that nobody countersigned are found by comparing what was in force, and listed beside.
    """
    import pandas as pd

    from rivergis.boundary.law import draft_store
    from rivergis.boundary.law import reduction_workflow as redraw_workflow

    with common.database().read() as conn:
        logged = draft_store.reductions(conn)
        found = redraw_workflow.unlogged(conn, _limits(adcode, _today(None)))
    found = found.assign(cases=[len(c) for c in found["cases"]], by_code="导入 import")
    rows = pd.concat(
        [logged, found[[c for c in found.columns if c != "day"]].assign(day=found["day"])], ignore_index=True
    )
    rows = rows.set_geometry("geom", crs=logged.crs)
    if out is not None or as_json:
        common.deliver(rows, out, as_json, "reductions")
        return
    common.table(
        ["河流 river", "岸 bank", "位置 stretch", "原 from", "现 to", "m²", "线索 cases", "事由 reason", "会签 countersigned", "时间 when"],
        [
            [
                r.river_code, r.bank, _stretch(r), r.boundary_code, r.by_code, f"{r.area_m2:.0f}", int(r.cases), r.reason or "未说明 none given",
                r.countersigned_by or "无 none", common.beijing(r.recorded_at) if pd.notna(r.recorded_at) else r.day,
            ]
            for r in rows.astype(object).where(rows.notna(), None).itertuples()
        ],
    )  # fmt: skip


def _stretch(r: Any) -> str:
    """Chainage of a reduction as people read it."""
    return "" if r.from_m is None or r.to_m is None else f"{r.from_m:.0f}–{r.to_m:.0f} m"


version.add_command(_move("send-back", "review_boundary", "Send a draft back to be drawn again (退回)."))
version.add_command(_move("withdraw", "draft_boundary", "Withdraw a draft (撤回); it stays in the records."))

COMMANDS: tuple[click.Command, ...] = (version,)
