"""``rivergis encroachment report``, ``reports``: what people see on the place becomes candidates of the night."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.encroachment.report_workflow import Said
    from rivergis.rules import RuleView

DAY = common.CivilDay()
FILE = click.Path(path_type=Path)
MOMENT = click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"])


@click.command()
@click.option(
    "--kind",
    default=None,
    help="building, quarry, dump, occupation, net_pen, unknown, a word of the taxonomy (乱堆, 鱼塘 ...), or nothing_found.",
)
@click.option("--lon", type=float, default=None, help="Longitude, degrees (default: that of the photo).")
@click.option("--lat", type=float, default=None, help="Latitude, degrees.")
@click.option("--accuracy", type=click.FloatRange(min=0), default=None, help="Position error, one sigma, m.")
@click.option(
    "--datum",
    type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]),
    default=None,
    help="Datum of the position; gcj02 for what a phone's map shows.",
)
@click.option(
    "--at", type=MOMENT, default=None, help="When it was seen, Asia/Shanghai (default: as the photo says, else now)."
)
@click.option(
    "--photo", type=FILE, default=None, help="Photo of it; its position and time are compared with what is said."
)
@click.option("--note", default=None, help="What else there is to say.")
@click.option(
    "--from",
    "source",
    type=FILE,
    default=None,
    help="A .csv or .xlsx of reports (or a folder of one, or of photos) instead.",
)
@click.option(
    "--photos", type=FILE, default=None, help="Folder of the photos that the table names (default: beside it)."
)
@click.option("--crs", callback=common.known_system, default=None, help="With --from: coordinate system of the table.")
@click.option("--encoding", default=None, help="With --from: text encoding of the table.")
@common.actor_option
@common.json_option
def report(source: Path | None, actor: str | None, as_json: bool, **o: Any) -> int:
    """Report what stands at a place, or with --kind nothing_found that a person looked and nothing is there.

    It becomes a candidate of the feed inspector, which the next night checks like any other; the next delivery of another feed
    does not take it away. A look that finds nothing counts as observed, and takes earlier reports of the place back. The same
    report again changes nothing. Who reported is personal data: it is kept, and on no map. Takes the capability inspect.

    \b
    Example:
      rivergis encroachment report --kind dump --lon 106.1 --lat 29.4 --accuracy 8 --photo heap.jpg --as demo-inspector
      rivergis encroachment report --from reports.xlsx --photos photos/ --as demo-inspector
    """
    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.encroachment import report_workflow
    from rivergis.intake.limits import Limits
    from rivergis.river import store as river_store

    settings = common.settings()
    db = common.database()
    who = common.acting(db, actor, "inspect")
    today = datetime.now(common.SHANGHAI).date()
    with db.read() as conn:
        home = river_store.home(conn, today, now_of(conn)) or "000000"
    view = rules.load(settings.rules_dir).at(rules.path_of(home), today)
    limits = Limits.of(settings.max_limits)
    said, refused = _of_file(source, view, o, limits) if source is not None else ([_typed(view, o)], [])
    done = report_workflow.report(db, said, actor=who, store_dir=settings.store_dir, view=view, limits=limits)
    if as_json:
        common.emit({"reports": done, "refused": [{"row": r, "why": w} for r, w in refused]}, True)
    else:
        _show(done, refused)
    return common.EXIT_PARTLY if refused else 0


def _typed(view: RuleView, o: dict[str, Any]) -> Said:
    """The report as typed on the command line."""
    from rivergis.encroachment import report_workflow
    from rivergis.errors import UsageError

    if o["kind"] is None:
        raise UsageError("Say what was seen with --kind (nothing_found if nothing was), or name a table with --from.")
    if o["photos"] or o["crs"] or o["encoding"]:
        raise UsageError("--photos, --crs and --encoding go with --from.")
    kind = report_workflow.kinds(view)(o["kind"])
    if kind is None:
        raise UsageError(
            f"{o['kind']!r} is no kind of thing that is reported: building, quarry, dump, occupation, net_pen, unknown, "
            "nothing_found, or a word of the taxonomy."
        )
    word = None if kind == o["kind"] else o["kind"]
    at = o["at"] and o["at"].replace(tzinfo=common.SHANGHAI)
    return report_workflow.Said(
        kind, o["lon"], o["lat"], at, o["accuracy"], o["datum"] or "wgs84", o["photo"], o["note"], word
    )


def _of_file(source: Path, view: RuleView, o: dict[str, Any], limits: Any) -> tuple[list[Said], list[tuple[str, str]]]:
    from rivergis.encroachment import report_files, report_workflow
    from rivergis.errors import UsageError
    from rivergis.intake.delivery import Asked

    if any(o[name] is not None for name in ("lon", "lat", "photo", "note", "at", "accuracy")):
        raise UsageError("With --from, position, time, photo and note stand in the table.")
    kind_of = report_workflow.kinds(view)
    kind = None if o["kind"] is None else kind_of(o["kind"])
    asked = Asked(None, o["crs"], o["datum"], o["encoding"])
    read = report_files.read(source, kind_of, kind=kind, photos=o["photos"], asked=asked, limits=limits)
    return read.said, read.refused


def _show(done: list[Any], refused: list[tuple[str, str]]) -> None:
    from rivergis import words

    for r in done[: common.SHOWN]:
        key = "report.nothing_found" if r.kind == "nothing_found" else f"kind.{r.kind}"
        known = " 已有 known" if r.known else ""
        common.say(f"{r.report[:8]}  {words.both(key)}  {r.lon:.6f} {r.lat:.6f}  {common.beijing(r.at)}{known}")
        for doubt in r.doubts:
            common.say(f"  ! {doubt}")
    if len(done) > common.SHOWN:
        common.say(f"… 共 {len(done)} in all; --json")
    for row, why in refused[: common.SHOWN]:
        common.say(f"  {row}: {why}")


@click.command()
@click.option("--from", "first", type=DAY, required=True, help="First civil day (Asia/Shanghai).")
@click.option("--to", "last", type=DAY, required=True, help="Last civil day, inclusive.")
@click.option("--who", is_flag=True, help="Also who reported (personal data: takes view_tracks, and is in the audit).")
@common.actor_option
@common.json_option
def reports(first: datetime, last: datetime, who: bool, actor: str | None, as_json: bool) -> None:
    """Reports of some days, the lead each became or why it is none, and what its photo says against it.

    \b
    Example:
      rivergis encroachment reports --from 2026-05-01 --to 2026-05-31
    """
    from rivergis import words
    from rivergis.encroachment import report_store

    db = common.database()
    if who:
        common.may_see_patrols(db, actor, "reports")
    with db.read() as conn:
        found = report_store.listed(conn, first.date(), last.date())
    shown = [r if who else {k: v for k, v in r.items() if k != "actor"} for r in found]
    if as_json:
        common.emit(shown, True)
        return
    rows = [
        (
            str(r["id"])[:8],
            common.beijing(r["at"]),
            words.both("report.nothing_found" if r["kind"] == "nothing_found" else f"kind.{r['kind']}"),
            str(r["finding_id"] or "")[:8] or (words.both(f"reason.{r['reason']}") if r["reason"] else ""),
            "; ".join(d["said"] for d in r["doubts"]),
            *([r["actor"]] if who else []),
        )
        for r in shown
    ]
    heads = ("报告 report", "时间 at", "类型 kind", "线索 lead", "存疑 doubts", *(["报告人 who"] if who else []))
    common.head(heads, rows)


COMMANDS: tuple[click.Command, ...] = (report, reports)
