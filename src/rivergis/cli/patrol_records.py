"""``rivergis patrol records``: exchange with platforms that tell of patrols without tracks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.patrol.records import Profile
    from rivergis.rules import RuleView

FILE = click.Path(path_type=Path)
DAY = common.CivilDay()
profile_option = click.option(
    "--profile", required=True, metavar="P", help="File profile from gis/rules/record_fields."
)


def county_rules() -> RuleView:
    """The rules of the county that the database is about."""
    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.river import store

    with common.database().read() as conn:
        place = store.home(conn, date.today(), now_of(conn)) or rules.NATIONAL
    return rules.load(common.settings().rules_dir).at(rules.path_of(place), date.today())


def _profile(name: str) -> Profile:
    from rivergis.patrol import record_files

    return record_files.load_profile(name, common.settings().rules_dir)


# ---- records of platforms ------------------------------------------------------------------------------------------------


@click.group("records")
def records() -> None:
    """Records of a platform without tracks (平台记录): take them in, give ours out."""


@records.command("import")
@click.argument("file", type=FILE)
@profile_option
@click.option(
    "--length-unit", type=click.Choice(["km", "m"]), default=None, help="Unit of the way, if the file states none."
)
@click.option(
    "--duration-unit",
    type=click.Choice(["h", "min", "s"]),
    default=None,
    help="Unit of the duration, if the file states none.",
)
@click.option(
    "--encoding", default=None, help="Text encoding of a CSV, where it is read wrongly: GB18030, for instance."
)
@click.option("--dry-run", is_flag=True, help="Do everything and keep nothing.")
@common.actor_option
@common.json_option
def import_(
    file: Path,
    profile: str,
    length_unit: str | None,
    duration_unit: str | None,
    encoding: str | None,
    dry_run: bool,
    actor: str | None,
    as_json: bool,
) -> int:
    """Take in FILE (.xlsx .xls .csv) of who, when, how long, how far; each row becomes an entry of kind platform_record.

    They count for the frequency and are shown apart from coverage proven by tracks. The same records again change nothing.
    Exit codes: 0 all rows in, 3 no heading of the profile, 4 some rows set aside (listed, and in 'rivergis quarantine list').

    \b
    Example:
      rivergis patrol records import 巡河记录.xlsx --profile national --dry-run
      rivergis patrol records import 巡河记录.xlsx --profile national
    """
    from rivergis.patrol import record_files, record_workflow

    known = _with_units(_profile(profile), length=length_unit, duration=duration_unit)
    db = common.database()
    who = common.acting(db, actor, "import")
    try:
        done = record_workflow.import_records(
            db, file, known, actor=who, view=county_rules(), encoding=encoding, dry_run=dry_run
        )
    except record_files.NoHeading as error:
        raise _with_hint(error, file) from error
    if as_json:
        common.emit(done, True)
    else:
        _show_import(done, dry_run)
    return common.EXIT_PARTLY if done.aside else 0


def _with_units(profile: Profile, **units: str | None) -> Profile:
    """A profile with the units that the user names."""
    return replace(profile, units={**profile.units, **{k: v for k, v in units.items() if v is not None}})


def _with_hint(error: Any, file: Path) -> Exception:
    """The refusal with the profile that fits better, if one does."""
    from rivergis.errors import InputError
    from rivergis.patrol import record_files

    rules_dir = common.settings().rules_dir
    names = record_files.fitting(file, [_profile(n) for n in record_files.profiles(rules_dir)])
    hint = f" The profile {names[0]} finds a heading: try --profile {names[0]}." if names else ""
    return InputError(f"{error.sentence}{hint}", **error.details)


def _show_import(done: Any, dry_run: bool) -> None:
    told = "试运行,未保存 dry run, nothing kept; " if dry_run else ""
    common.say(
        f"{told}{done.file}: {done.count_in} 行 rows = 新增 new {done.imported} + 已有 known {done.known} + 待处理 aside {len(done.aside)} "
        f"+ 非记录 no records {len(done.skipped)}; 并入轨迹 merged into tracks {len(done.merged)}, 待人判断 to decide {len(done.proposed)}"
    )
    for sheet, headings in done.unread.items():
        if headings:
            common.say(f"  {sheet}: 未读取的列 columns not read: {'、'.join(headings)}")
    for sheet in done.without_heading:
        common.say(f"  {sheet}: 没有表头 no heading, not read")
    if done.aside:
        rows = [(a.sheet, a.row, a.sentence) for a in done.aside]
        common.table(("表 sheet", "行 row", "原因 why"), rows[: common.SHOWN])
        if len(rows) > common.SHOWN:
            common.say(f"另有 {len(rows) - common.SHOWN} 行 more rows: rivergis quarantine list --layer patrol_entry")


@records.command("export")
@profile_option
@click.option("--from", "first", type=DAY, required=True, help="First civil day (Asia/Shanghai).")
@click.option("--to", "last", type=DAY, required=True, help="Last civil day, inclusive.")
@click.option("--out", type=FILE, required=True, help="File to write: .xlsx or .csv.")
@common.actor_option
@common.json_option
def export(profile: str, first: datetime, last: datetime, out: Path, actor: str | None, as_json: bool) -> None:
    """Write our patrols (tracks and entries that count) as such a file; read through the same profile they are the same again.

    Names people: takes the capabilities export and view_tracks.

    \b
    Example:
      rivergis patrol records export --profile national --from 2026-05-01 --to 2026-05-31 --out 5月.xlsx
    """
    from rivergis.db import system
    from rivergis.errors import UsageError
    from rivergis.patrol import record_out_workflow
    from rivergis.reports import record_book

    known = _profile(profile)
    record_book.check(out, known)
    if last < first:
        raise UsageError(f"--to {last.date()} is before --from {first.date()}: exchange them.")
    db = common.database()
    who = common.acting(db, actor, "export")
    common.acting(db, actor, "view_tracks")  # the file names people
    with db.read() as conn:
        found = record_out_workflow.exported(conn, known, first.date(), last.date())
    with db.write(who) as conn:
        about = {"profile": profile, "from": str(first.date()), "to": str(last.date()), "records": len(found)}
        system.audit(conn, who, "export", "patrol_records", about)
    record_book.write(found, known, out)
    common.emit({"file": str(out), "records": len(found)}, as_json, f"{len(found)} 条记录 records → {out}")


@records.command("profiles")
@common.json_option
def profiles(as_json: bool) -> None:
    """List the file profiles there are.

    \b
    Example:
      rivergis patrol records profiles
    """
    from rivergis.patrol import record_files

    rules_dir = common.settings().rules_dir
    rows = [(p.name, p.about, p.write is not None) for p in map(_profile, record_files.profiles(rules_dir))]
    if as_json:
        common.emit([dict(zip(("profile", "about", "writes"), r, strict=True)) for r in rows], True)
    else:
        common.table(("名称 profile", "说明 about", "可导出 writes"), [(n, a, "✓" if w else "") for n, a, w in rows])


COMMANDS = (records,)
