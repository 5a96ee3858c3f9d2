"""What ``rivergis patrol score`` does for one track and for a folder, and how it tells the result."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis import words
from rivergis.cli import common
from rivergis.errors import InputError, UsageError

if TYPE_CHECKING:
    from rivergis.patrol.reach_files import River
    from rivergis.patrol.results import TrackScore
    from rivergis.patrol.score import Score
    from rivergis.rules import RuleView

TABLES = (".geojson", ".gpkg", ".csv")


def _view() -> RuleView:
    from rivergis import rules

    return rules.load(common.settings().rules_dir).at((rules.NATIONAL,), date.today())


def folder(path: Path, out: Path | None, as_json: bool) -> int:
    """Score a folder: the list goes to ``out`` as JSON, a summary to the screen; exit code 4 when tracks were set aside."""
    from rivergis.patrol import files

    if out is not None and out.suffix.lower() != ".json":
        raise UsageError(f"The result of a folder is a list: write it to a .json file, not {out.name}.")
    _may_write(out)
    if out is not None and out.resolve() in files.inputs(path):
        raise UsageError(f"{out} is what the result is made of: give another name.")
    quiet = as_json or not sys.stderr.isatty()
    done = files.score_dir(path, _view(), progress=_silent if quiet else _progress)
    if out is not None:
        common.write_json(out, done.tracks)
    for a in done.aside:
        common.say(f"搁置 set aside: {a['file']}: {a['reason']}", err=True)
    if as_json:
        common.emit(done, True)
    else:
        _summary(done.tracks, out)
    if done.aside:
        return common.EXIT_PARTLY if done.tracks else InputError.exit_code
    return 0


def _may_write(out: Path | None) -> None:
    """Refuse before the work what could not be written after it."""
    if out is not None and not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    if out is not None and out.is_dir():
        raise UsageError(f"{out} is a folder: give the name of a file.")
    common.not_its_source(out)


def _progress(n: int, all_: int) -> None:
    if n % 50 == 0 or n == all_:
        click.echo(f"  {n}/{all_} 条轨迹 tracks", err=True)


def _silent(n: int, all_: int) -> None:
    pass


def _summary(tracks: list[TrackScore], out: Path | None) -> None:
    tested = [t for t in tracks if t.effective is not None]
    common.table(
        (
            "轨迹 tracks",
            "达到所给规则 meet the rule given",
            "临界待核 near a threshold",
            "轨迹待核实 to be verified",
            "公里 km seen",
        ),
        [
            (
                len(tracks),
                f"{sum(bool(t.effective) for t in tested)}/{len(tested)}",
                sum(bool(t.near) for t in tracks),
                sum(bool(t.review) for t in tracks),
                f"{sum(t.figures['metres'] for t in tracks) / 1000:.1f}",
            )
        ],
    )
    if out is not None:
        click.echo(f"结果 result: {out}")


def single(track: Path, reaches: Path, *, layer: str | None, datum: str | None, out: Path | None, as_json: bool) -> int:
    """Score one track against reaches: tables to the screen, or to a file by its ending."""
    from rivergis.patrol import files, reach_files

    if out is not None and out.suffix.lower() not in (".json", ".html", ".xlsx", *TABLES):
        raise UsageError(f"{out.name}: write to .json, .html, .xlsx or one of {', '.join(TABLES)}.")
    _may_write(out)
    view = _view()
    river = reach_files.read_river(reaches, view, layer=layer)
    result, done = files.score_file(track, river, view, datum=datum)
    if out is not None:
        _write(out, result, done, river)
    if as_json:
        common.emit(result, True)
    else:
        _tell(result)
        if out is not None:
            click.echo(f"→ {out}")
    return 0


def _write(out: Path, result: TrackScore, done: Score, river: River) -> None:
    kind = out.suffix.lower()
    if kind == ".json":
        common.write_json(out, result)
    elif kind == ".html":
        from rivergis.reports import patrol_file_page

        common.write_page(out, patrol_file_page.page(result, done, river))
    else:
        from rivergis.patrol import reach_files

        lines = reach_files.lines(done, river)
        if kind == ".xlsx":
            _workbook(out, lines)
        else:
            common.write_frame(lines, out, layer="leg")


def _workbook(out: Path, lines: Any) -> None:
    """The stretches as a sheet that people read: words for banks, reasons and ways of moving, Beijing time."""
    import openpyxl

    from rivergis.reports import workbook
    from rivergis.river.files import whole

    book = openpyxl.Workbook()
    book.remove(book.active)
    rows = [
        (
            r.reach_id,
            _bank(r.bank),
            round(r.from_m, 1),
            round(r.to_m, 1),
            words.both("patrol.seen" if r.why == "seen" else f"unseen.{r.why}"),
            common.beijing(r.started_at),
            common.beijing(r.ended_at),
            _mode(r.mode),
            _figure(r.speed_ms * 3.6, 1),
            _figure(r.confidence, 2),
        )
        for r in lines.itertuples()
    ]
    head = (
        "河段 reach",
        "岸 bank",
        "自 from m",
        "至 to m",
        "结果 result",
        "起 from",
        "止 to",
        "方式 by",
        "公里/时 km/h",
        "把握 confidence",
    )
    workbook.add_table(book, words.say("patrol_report.table_stretches"), head, rows)
    with whole(out) as part:
        workbook.write_fixed(book, part, datetime.now(UTC))


def _tell(result: TrackScore) -> None:
    if not any("reason" not in leg for leg in result.legs):
        click.echo("没有看到任何河段 no reach was seen")
        _tell_track(result)
        return
    common.table(
        ("河段 reach", "岸 bank", "自 from m", "至 to m", "方式 by", "公里/时 km/h", "把握 confidence"),
        [(leg["reach_id"], _bank(leg["bank"]), leg["from_m"], leg["to_m"], _mode(leg["mode"]), leg["speed_kmh"], leg["confidence"]) for leg in result.legs if "reason" not in leg],
        title=f"看到的岸 seen by {result.track_id}",
    )  # fmt: skip
    for gap in result.unobserved:
        click.echo(
            f"  定位中断 silence: {gap['reach_id']} {gap['from_m']}–{gap['to_m']} m, {gap['seconds']:.0f} s, {gap['speed_ms']:.1f} m/s"
        )
    _tell_track(result)


def _tell_track(result: TrackScore) -> None:
    """What is said of the track itself: its figures, what was noticed in the file, and the questions."""
    figures: dict[str, Any] = result.figures
    spent = "无时间 no times" if figures["minutes"] is None else f"{figures['minutes']} 分钟 min"
    click.echo(
        f"{spent}, {figures['metres']:.0f} m 河长 of reaches, {figures['bank_metres']:.0f} m 岸长 of banks; "
        f"坐标系 datum {result.datum}, {figures['fixes_used']}/{figures['fixes']} 定位点 fixes"
    )
    for note in result.notes:
        common.say(f"{words.both('defect.' + note['code'])}: {note['sentence']}")
    for asked in result.review:
        common.say(f"{words.say('patrol.review')}: {asked['zh']} · {asked['en']}")


def _bank(bank: str | None) -> str:
    return {"left": "左 left", "right": "右 right"}.get(bank or "", "水面 water")


def _mode(mode: str | None) -> str:
    return words.both(f"patrol.mode_{mode}") if mode else ""


def _figure(value: float, digits: int) -> float | None:
    return round(value, digits) if isfinite(value) else None
