"""``rivergis import``: bring a file in as a layer, as tracks or as an image."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.errors import legible

if TYPE_CHECKING:
    from rivergis.db.connect import Database
    from rivergis.patrol.receive_workflow import Received

DAY = common.CivilDay()
_REASONS, _FEATURES = 10, 8
_SHOWN_TRACKS = 20
_DRY = "试读,未写入 dry run, nothing written"


@click.command("import")
@click.argument("layer")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", default="plain", show_default=True, help="Field mapping from gis/rules/import_fields.")
@click.option("--source-layer", default=None, help="Layer inside the file.")
@click.option(
    "--crs",
    callback=common.known_system,
    default=None,
    help="Coordinate system (EPSG:CODE), where the file names none or a wrong one.",
)
@click.option(
    "--datum",
    type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]),
    default=None,
    help="Datum of the positions; nothing is shifted unless you say so.",
)
@click.option("--encoding", default=None, help="Text encoding, where the file names none: GBK, for instance.")
@click.option("--namespace", default="local", show_default=True, help="Who gave the codes.")
@click.option(
    "--valid-from", type=DAY, default=None, help="Civil day from which the rows hold, where the file does not say."
)
@click.option("--feed", default=None, help="Candidates: the source that delivers them.")
@click.option("--delivered-on", type=DAY, default=None, help="Candidates: the civil day the delivery stands for.")
@click.option(
    "--complete/--addition",
    default=True,
    show_default=True,
    help="Candidates: whether this is all there is, or adds to the last delivery.",
)
@click.option(
    "--index", type=click.Path(path_type=Path), default=None, help="Tracks: JSON list that says whose each file is."
)
@click.option("--chief", default=None, help="Tracks: code of the chief.")
@click.option("--taken-on", type=DAY, default=None, help="Imagery: civil day of the image.")
@click.option(
    "--cloud", type=click.Path(path_type=Path), default=None, help="Imagery: polygons of what shows nothing usable."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    default=None,
    help="Write what became of it to a .html, .json or .xlsx.",
)
@click.option(
    "--secrecy-confirmed",
    metavar="WHO, DOCUMENT",
    default=None,
    help="Who confirmed, in which document, that a control-point, land-survey or wide large-scale layer may be held here.",
)
@click.option("--dry-run", is_flag=True, help="Do everything and keep nothing.")
@common.actor_option
@common.json_option
def command(layer: str, file: Path, actor: str | None, as_json: bool, **o: Any) -> int:
    """Import FILE as LAYER: a layer name, 'all' (every layer the profile names), 'track' (file or folder) or 'imagery'.

    Encoding, axis order and coordinate system are read from the file and its evidence; where they are not certain, the
    import stops with the reasons and the option to type. Exit codes: 0 all rows in, 3 nothing could be read, 4 some rows
    set aside (see 'rivergis quarantine list').

    \b
    Example:
      rivergis import reach rivers.gpkg --crs EPSG:4544
      rivergis import all extract.gpkg --profile osm
      rivergis import stake stakes.xlsx --profile gbk_survey --dry-run --report stakes.html
      rivergis import track tracks/ --index tracks/index.json
    """
    from rivergis.reports import intake_report

    intake_report.check(o["report"])
    db = common.database()
    who = common.acting(db, actor, "import")
    if layer == "track":
        return _tracks(db, file, who, o, as_json)
    results = [_imagery(db, file, who, o)] if layer == "imagery" else _vector(db, layer, file, who, o)
    if o["report"] is not None:
        intake_report.write_import(common.plain(results), o["report"])
    _show(results, as_json, o["dry_run"])
    return common.EXIT_PARTLY if any(r.quarantined for r in results) else 0


def _day(value: datetime | None) -> Any:
    return value.date() if value else None


def _vector(db: Database, layer: str, file: Path, who: str, o: dict[str, Any]) -> list[Any]:
    from rich.console import Console
    from rich.text import Text

    from rivergis import rules
    from rivergis.intake import profile
    from rivergis.intake.limits import Limits
    from rivergis.jobs import receive

    rules_dir = common.settings().rules_dir
    chosen = profile.load(o["profile"], rules_dir)
    options = receive.Options(
        crs=o["crs"],
        datum=o["datum"],
        encoding=o["encoding"],
        namespace=o["namespace"],
        valid_from=_day(o["valid_from"]),
        feed=o["feed"],
        delivered_on=_day(o["delivered_on"]),
        complete=o["complete"],
        secrecy_confirmed=o["secrecy_confirmed"],
    )
    limits = Limits.of(common.settings().max_limits)
    large_scale_km2 = rules.load(rules_dir).at(("000000",), date.today()).number("publish.max_contiguous_large_scale")
    shared = {"actor": who, "profile": chosen, "options": options, "dry_run": o["dry_run"], "limits": limits}
    shared["large_scale_km2"] = large_scale_km2
    console = Console(stderr=True, markup=False, emoji=False)
    with console.status("") as status:

        def progress(said: str) -> None:
            said = legible(said)
            status.update(Text(said))
            if said.startswith("not in the file") or (not console.is_terminal and "into the database" not in said):
                console.print(f"  {said}", style="dim", highlight=False)

        if layer == "all":
            return receive.import_all(db, file, progress=progress, **shared)
        return receive.import_file(
            db,
            layer,
            file,
            source_layer=o["source_layer"],
            others=profile.load_all(rules_dir),
            progress=progress,
            **shared,
        )


def _imagery(db: Database, file: Path, who: str, o: dict[str, Any]) -> Any:
    from rivergis.errors import UsageError
    from rivergis.jobs import receive

    if o["taken_on"] is None:
        raise UsageError("Say when the image was taken with --taken-on YYYY-MM-DD: a verdict may rest on it.")
    return receive.import_imagery(
        db,
        file,
        _day(o["taken_on"]),
        actor=who,
        store_dir=common.settings().store_dir,
        cloud=o["cloud"],
        crs=o["crs"],
        namespace=o["namespace"],
        dry_run=o["dry_run"],
    )


def _tracks(db: Database, file: Path, who: str, o: dict[str, Any], as_json: bool) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from rivergis import rules, words
    from rivergis.jobs import receive

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("tracks", total=None)
        got = receive.import_tracks(
            db,
            file,
            book=rules.load(common.settings().rules_dir),
            actor=who,
            store_dir=common.settings().store_dir,
            index=o["index"],
            chief=o["chief"],
            datum=o["datum"],
            namespace=o["namespace"],
            dry_run=o["dry_run"],
            progress=lambda n, of: bar.update(task, completed=n, total=of),
        )
    said = [f"轨迹 tracks: {got.new} 新 new, {got.known} 已有 known, {len(got.failed)} 未能读取 failed"]
    said += [_track_line(t) for t in got.tracks[:_SHOWN_TRACKS]]
    said += [f"  另有 {more} 条 more; --json"] if (more := len(got.tracks) - _SHOWN_TRACKS) > 0 else []
    said += [f"  观察点 observations: {got.observations}"] if got.observations else []
    said += [_DRY] if o["dry_run"] else []
    said += [legible(f"  {f['file']}: {f['message']}") for f in got.failed]
    said += [
        f"  {words.say('defect.' + code)} {code}: {count} 个文件 files" for code, count in sorted(got.noticed.items())
    ]
    common.emit(got, as_json, "\n".join(said))
    return common.EXIT_PARTLY if got.failed else 0


def _track_line(t: Received) -> str:
    """The track by the number that other commands ask for."""
    part = f", 同次巡河 {t.parts} 段 parts of one outing" if t.parts > 1 else ""
    return f"  {t.track_id[:8]}  {t.day or '无时间 no times'}  {t.fixes} 定位点 fixes{part}{'' if t.new else '  已有 known'}"


def _show(results: list[Any], as_json: bool, dry_run: bool) -> None:
    from rivergis import words

    if as_json:
        common.emit(results, True)
        return
    common.table(
        (
            "图层 layer",
            "来源 source",
            "读入 in",
            "新 imported",
            "未变 unchanged",
            "隔离 set aside",
            "略过 skipped",
            "坐标系 CRS",
            "",
        ),
        [
            (
                r.layer,
                r.source_layer,
                r.count_in,
                r.imported,
                r.unchanged,
                r.quarantined,
                r.skipped,
                r.source_crs,
                "已导入过 known" if r.known else "",
            )
            for r in results
        ],
        title=_DRY if dry_run else None,
    )
    for r in results:
        for d in r.diagnostics:
            common.say(f"  {r.layer}: {words.say('defect.' + d['code'])} {d['code']} × {d['count']}: {d['sentence']}")
        _show_set_aside(r, dry_run)


def _show_set_aside(result: Any, dry_run: bool) -> None:
    """One line for all features of the same reason, and where to look for more."""
    if result.known:
        return
    from rivergis import words

    alike: dict[tuple[str, str], list[str]] = {}
    for a in result.set_aside:
        alike.setdefault((a.code, a.sentence), []).append(str(a.source_feature))
    for (code, sentence), features in list(alike.items())[:_REASONS]:
        more = f" … ({len(features)})" if len(features) > _FEATURES else ""
        named = ", ".join(features[:_FEATURES])
        common.say(f"  {result.layer} 要素 feature {named}{more}: {words.say('defect.' + code)} {code}: {sentence}")
    for code in dict.fromkeys(code for code, _ in list(alike)[:_REASONS]):
        common.advise(code, "    ")
    if len(alike) > _REASONS:
        common.say(f"  … 另有 {len(alike) - _REASONS} 种原因 more reasons")
    if result.quarantined:
        common.say(
            "  全部明细 all of them: --report FILE.html"
            if dry_run and not result.known
            else f"  全部明细 all of them: rivergis quarantine list --layer {result.layer}"
        )
