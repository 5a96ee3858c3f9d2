"""``rivergis boundary publish``: bundles for the public, each with its own 审图号, and whether one still stands."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import boundary_terms as deliveries
from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.boundary.delivery.publication import Limits
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path, exists=True)


@click.group()
def publish() -> None:
    """Publications of announced lines (公开成果): a bundle with its own 审图号, day, title, extent and content hash.

    Any change makes it void: of a file in it, of the lines in the database, or that they were superseded or revoked.
    Without a 审图号 only tables are published: no map, no shape, no coordinate.
    """


@publish.command("make")
@click.argument("code")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder, or file that ends in .zip.")
@click.option("--title", required=True, help="Title, as printed.")
@click.option(
    "--review-no", default=None, metavar="审图号", help="Review number of this bundle; without one only tables."
)
@click.option("--published-on", type=common.CivilDay(), default=None, help="Day printed on it (default: today).")
@click.option(
    "--version",
    "versions",
    multiple=True,
    metavar="CODE",
    help="Delimitation; may be repeated (default: all in force).",
)
@click.option("--river", "rivers", multiple=True, metavar="CODE", help="Only lines of this river; may be repeated.")
@click.option(
    "--as-of", type=common.CivilDay(), default=None, help="Civil day on which the lines are in force (default: today)."
)
@click.option(
    "--paper",
    type=click.Choice(["A3", "A4"], case_sensitive=False),
    default="A3",
    show_default=True,
    help="Paper of the map.",
)
@click.option("--scale", type=int, default=None, metavar="N", help="Scale 1:N of the map.")
@click.option(
    "--zone", type=int, default=None, metavar="N", help="Zone of the metric files: number or central meridian."
)
@click.option(
    "--formats",
    metavar="A,B,…",
    default="gpkg,xlsx,txt",
    show_default=True,
    help="Beside the map: gpkg, shp, dxf, xlsx, txt.",
)
@click.option("--secrecy-confirmed", metavar="WHO, DOCUMENT", default=None, help="Who confirmed that wide ground at a large scale may be public.")  # fmt: skip
@click.option("--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national).")
@click.option("--overwrite", is_flag=True, help="Replace an earlier bundle there.")
@common.actor_option
@common.json_option
def make(code: str, out: Path, actor: str | None, as_json: bool, **o: Any) -> None:
    """Make the bundle CODE of announced lines in force, and record it. Needs the capability review_boundary.

    \b
    Example:
      rivergis boundary publish make GG-2026-01 --title 云溪河管理范围公告图 --review-no "渝S(2026)001号" --river YXH --out gg.zip
    """
    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.reports import boundary_publication
    from rivergis.reports.boundary_publication import Said

    today = datetime.now(common.SHANGHAI).date()
    on = o["as_of"].date() if o["as_of"] else today
    said = Said(
        code,
        o["title"],
        o["published_on"].date() if o["published_on"] else today,
        o["review_no"],
        o["secrecy_confirmed"],
    )
    view = rules.load(common.settings().rules_dir).at(rules.path_of(o["place"]), on)
    boundary_publication.check_place(out, o["overwrite"])
    db = common.database()
    who = common.acting(db, actor, "review_boundary")
    with db.write(who) as conn, boundary_publication.placed(out, o["overwrite"]) as folder:
        manifest = _made(conn, said, view, on, now_of(conn), folder, o)
    common.emit({"bundle": str(out), **manifest}, as_json, _told(out, manifest))


def _made(
    conn: Any, said: Any, view: RuleView, on: date, known_at: datetime, folder: Path, o: dict[str, Any]
) -> dict[str, Any]:
    """The bundle in its folder and its record in the database, both or neither."""
    from rivergis.boundary.delivery import publication_store, publication_workflow
    from rivergis.boundary.delivery.tables import zone_number
    from rivergis.reports import boundary_publication

    held = publication_workflow.held(conn, said.title, on, codes=o["versions"], rivers=o["rivers"], known_at=known_at)
    terms = deliveries.terms_of(view)
    formats = tuple(p.strip().lower() for p in o["formats"].split(",") if p.strip())
    columns = frozenset(view.value("publish.attributes").value)
    asked = deliveries.asked_of(view, "GBK", formats, on, columns)
    zone = None if o["zone"] is None else zone_number(o["zone"])
    sheet = deliveries.sheet_of(view, terms, o["paper"], o["scale"], zone, said.published_on)
    manifest = boundary_publication.make(held, said, terms, asked, sheet, limits_of(view), folder)
    row, parts = boundary_publication.record(manifest, held)
    publication_store.add(conn, row, parts)
    return manifest


def limits_of(view: RuleView) -> Limits:
    """The rules of publication."""
    from rivergis.boundary.delivery.publication import Limits

    return Limits(
        view.number("publish.max_contiguous_large_scale"),
        view.number("publish.large_scale"),
        bool(view.value("publish.require_review_number").value),
    )


def _told(out: Path, manifest: dict[str, Any]) -> str:
    what = (
        "图、数据与表 map, data and tables"
        if manifest["kind"] == "map"
        else "仅表格(无审图号) tables only, no review number"
    )
    lines = [
        f"{out}: {manifest['title']} · {what} · {len(manifest['files'])} 个文件 files",
        f"  审图号 review number: {manifest['review_no'] or '—'} · {manifest['published_on']}",
        f"  内容校验值 content hash: {manifest['content_sha256']}",
    ]
    lines += [f"  ⚠ {manifest['secrecy']}"] if manifest["secrecy"] else []
    return "\n".join([*lines, *(f"  {n}" for n in manifest["notes"])])


@publish.command("verify")
@click.argument("bundle", type=FILE)
@click.option("--files-only", is_flag=True, help="Judge the files alone, without the database.")
@click.option("--on", type=common.CivilDay(), default=None, help="Civil day to judge it on (default: today).")
@common.json_option
def verify(bundle: Path, files_only: bool, on: datetime | None, as_json: bool) -> int:
    """Does the bundle (folder or ZIP) still stand? Every file against its manifest, the lines against the database.

    Exit codes: 0 it stands; 1 it is void, with every reason.

    \b
    Example:
      rivergis boundary publish verify gg.zip
    """
    from rivergis.reports import boundary_publication

    manifest, faults = boundary_publication.verify(bundle)
    if manifest and not files_only:
        faults = [*faults, *_in_database(manifest, (on or datetime.now(common.SHANGHAI)).date())]
    said = boundary_publication.sentences(faults)
    result = {
        "bundle": str(bundle),
        "code": manifest.get("code"),
        "review_no": manifest.get("review_no"),
        "valid": not faults,
        "reasons": said,
    }
    _judged(result, as_json)
    return 1 if faults else 0


def _judged(result: dict[str, Any], as_json: bool) -> None:
    from rivergis import words

    state = words.both(f"publication.{'valid' if result['valid'] else 'void'}")
    head = f"{result['bundle']}: {result['code'] or ''} {state}"
    common.emit(result, as_json, "\n".join([head, *(f"  - {s}" for s in result["reasons"])]))


def _in_database(manifest: dict[str, Any], on: date) -> list[Any]:
    """What the database says of it."""
    from rivergis.boundary.delivery import publication_store, publication_workflow
    from rivergis.boundary.delivery.publication import Fault
    from rivergis.db.connect import now_of

    with common.database().read() as conn:
        rows = publication_store.listed(conn, now_of(conn))
        known = rows[rows["code"] == manifest.get("code")]
        if known.empty:
            return [Fault("unknown")]
        if known["content_sha256"].iloc[0] != manifest.get("content_sha256"):
            return [Fault("other_content")]
        return publication_workflow.judge(conn, on, code=manifest["code"])[0].faults


@publish.command("list")
@click.option("--on", type=common.CivilDay(), default=None, help="Civil day to judge them on (default: today).")
@common.json_option
def list_(on: datetime | None, as_json: bool) -> None:
    """Every publication, and whether it still stands."""
    from rivergis import words
    from rivergis.boundary.delivery import publication_store, publication_workflow
    from rivergis.db.connect import now_of
    from rivergis.reports.boundary_publication import sentences

    with common.database().read() as conn:
        rows = publication_store.listed(conn, now_of(conn)).set_index("code")
        judged = publication_workflow.judge(conn, (on or datetime.now(common.SHANGHAI)).date())
    told = [
        {
            "code": j.code, "title": j.title, "kind": rows.loc[j.code, "kind"], "review_no": rows.loc[j.code, "review_no"],
            "published_on": rows.loc[j.code, "published_on"], "valid": not j.faults, "reasons": sentences(j.faults),
        }
        for j in judged
    ]  # fmt: skip
    if as_json:
        common.emit(told, True)
        return
    shown = [
        [t["code"], t["title"], t["review_no"] or "—", t["published_on"], words.both(f"publication.{'valid' if t['valid'] else 'void'}"), "; ".join(t["reasons"])]
        for t in told
    ]  # fmt: skip
    common.table(["编号 code", "名称 title", "审图号 review no", "日期 day", "状态 state", "原因 reasons"], shown)


@publish.command("void")
@click.argument("code", required=False)
@click.option(
    "--changed", is_flag=True, help="Void every publication whose lines changed, were superseded or revoked since."
)
@click.option("--reason", default=None, help="Why; it is kept for good. With --changed: what is found.")
@common.actor_option
@common.json_option
def void(code: str | None, changed: bool, reason: str | None, actor: str | None, as_json: bool) -> None:
    """Void the publication CODE, or with --changed all that no longer say what holds; for good. Needs review_boundary."""
    from rivergis.boundary.delivery import publication_workflow
    from rivergis.reports.boundary_publication import sentences

    if (code is None) == (not changed) or (code is not None and not (reason or "").strip()):
        raise click.UsageError("Name a publication with its --reason, or say --changed.")
    db = common.database()
    who = common.acting(db, actor, "review_boundary")
    if code is not None:
        reasons = {code: str(reason)}
    else:
        with db.read() as conn:
            judged = publication_workflow.judge(conn, datetime.now(common.SHANGHAI).date())
        reasons = {j.code: "; ".join(sentences(j.faults)) for j in judged if j.faults and j.state == "issued"}
    for one, why in reasons.items():
        publication_workflow.void(db, one, why, who)
    common.emit(reasons, as_json, "\n".join(f"{c}: {r}" for c, r in reasons.items()) or "无 none")
