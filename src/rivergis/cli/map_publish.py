"""``rivergis map publish``: maps for the public as a bundle of files, under its own 审图号, with whitelisted attributes only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from rivergis.cli import common

DAY = common.CivilDay()


@click.command()
@click.argument("code")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder, or file that ends in .zip.")
@click.option("--title", required=True, help="Title, as printed.")
@click.option("--review-no", default=None, metavar="审图号", help="Review number of this bundle; no map without one.")
@click.option(
    "--layer",
    "names",
    multiple=True,
    metavar="LAYER",
    help="What goes out (river, boundary_line, ...); may be repeated.",
)
@click.option("--chiefs", is_flag=True, help="With the list of river chiefs by township and village (河长名单).")
@click.option(
    "--line-type",
    type=click.Choice(["management", "protection", "blue_line", "waterside", "outer"]),
    default=None,
    help="Only boundary lines of this type: blue_line (生态保护蓝线) ...",
)
@click.option("--river", "rivers", multiple=True, metavar="CODE", help="Only of this river; may be repeated.")
@click.option("--unit", default=None, metavar="ADCODE", help="Only in this county, township or village.")
@click.option("--on", type=DAY, default=None, help="Civil day on which it is in force (default: today).")
@click.option("--published-on", type=DAY, default=None, help="Day printed on it (default: today).")
@click.option("--secrecy-confirmed", default=None, metavar="WHO, DOCUMENT", help="Who confirmed that wide ground at a large scale may be public.")  # fmt: skip
@click.option("--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national).")
@click.option("--overwrite", is_flag=True, help="Replace an earlier bundle there.")
@common.actor_option
@common.json_option
def publish(code: str, out: Path, actor: str | None, as_json: bool, **o: Any) -> None:
    """Make the public bundle CODE: static pages, CSV and GeoJSON of announced things, and record it. Needs review_boundary.

    Refused without a 审图号; the list of chiefs alone may go out as a table. 'rivergis boundary publish verify' judges it later.

    \b
    Example:
      rivergis map publish HZ-2026 --title 云溪县河长名单 --chiefs --layer river --review-no "渝S(2026)002号" --out chiefs.zip
      rivergis map publish LX-2026 --title 生态保护蓝线 --layer boundary_line --line-type blue_line --review-no "渝S(2026)003号" --out blue.zip
    """
    from rivergis.cli.boundary_publish import limits_of
    from rivergis.errors import UsageError
    from rivergis.maps import features
    from rivergis.maps.public_rows import Wanted
    from rivergis.reports import boundary_publication, map_publication

    if not o["names"] and not o["chiefs"]:
        raise UsageError("Say what goes out: --layer NAME (may be repeated), or --chiefs.")
    today = datetime.now(common.SHANGHAI).date()
    day, printed = (o[k].date() if o[k] else None for k in ("on", "published_on"))
    said = map_publication.Said(code, o["title"], printed or today, o["review_no"], o["secrecy_confirmed"])
    boundary_publication.check_place(out, o["overwrite"])
    view = _rules(o["place"], day or today)
    db = common.database()
    who = common.acting(db, actor, "review_boundary")
    wanted = Wanted(tuple(o["rivers"]), o["unit"], o["line_type"])
    with db.write(who) as conn, boundary_publication.placed(out, o["overwrite"]) as folder:
        at = features.when(conn, day)
        manifest, kept = map_publication.make(conn, said, o["names"], o["chiefs"], wanted, at, limits_of(view), folder)
        _record(conn, who, code, kept)
    common.emit({"bundle": str(out), **manifest}, as_json, _told(out, manifest))


def _rules(place: str, on: Any) -> Any:
    from rivergis import rules

    return rules.load(common.settings().rules_dir).at(rules.path_of(place), on)


def _record(conn: Any, who: str, code: str, kept: Any) -> None:
    """The bundle in the register of publications, and in the audit."""
    from rivergis.boundary.delivery import publication_store
    from rivergis.db import system

    publication_store.add(conn, *kept)
    system.audit(conn, who, "export", f"publication:{code}")


def _told(out: Path, manifest: dict[str, Any]) -> str:
    rows = "、".join(f"{name} {n}" for name, n in manifest["rows"].items())
    lines = [
        f"{out}: {manifest['title']} · {rows} · {len(manifest['files'])} 个文件 files",
        f"  审图号 review number: {manifest['review_no'] or '— 仅表格 tables only'} · {manifest['published_on']}",
        f"  内容校验值 content hash: {manifest['content_sha256']}",
    ]
    return "\n".join([*lines, *([f"  ⚠ {manifest['secrecy']}"] if manifest["secrecy"] else [])])
