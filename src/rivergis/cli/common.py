"""What every command shares: ``--json``, ``--as``, the database, and how a result is shown."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from rivergis import settings as settings_
from rivergis.errors import PartlyDone, inert, legible

if TYPE_CHECKING:
    from rivergis.db.connect import Database

F = TypeVar("F", bound=Callable[..., Any])

EXIT_PARTLY = PartlyDone.exit_code
SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOWN = 30  # rows of a table on a screen; the rest is counted


class CivilDay(click.DateTime):
    """A civil day of the calendar, as a type of options and arguments."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{str(value)[:40]!r} is no day of the calendar: write it like 2026-05-20.", param, ctx)


def json_option(command: F) -> F:
    """Add ``--json``: print the machine-readable result instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def actor_option(command: F) -> F:
    """Add ``--as NAME``: who acts; passed as ``actor``."""
    return click.option(
        "--as",
        "actor",
        metavar="NAME",
        default=None,
        help="Who acts (default: RIVERGIS_ACTOR, or the local operator of the private cluster).",
    )(command)


def known_system(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """Callback of ``--crs``: what names no coordinate system is wrong usage, not a property of the file."""
    if text is None:
        return None
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        CRS.from_user_input(text)
    except CRSError as error:
        raise click.BadParameter(
            f"{text[:80]!r} names no coordinate system: write EPSG:CODE, such as EPSG:4490 (CGCS2000 in degrees) or "
            "EPSG:4544 (3-degree zone, central meridian 105)."
        ) from error
    return text


def settings() -> settings_.Settings:
    return settings_.load()


def any_database() -> Database:
    """The database of the settings in whatever state; the private cluster is started when needed."""
    from rivergis.db.connect import open_database

    s = settings()
    return open_database(s.database_url, s.data_dir, s.database)


def database() -> Database:
    """The database of the settings at the state of this version: a private one is upgraded, a shared one must be current."""
    from rivergis.db import upgrade

    db = any_database()
    if db.private:
        upgrade.upgrade(db)
    else:
        upgrade.require_current(db)
    return db


def acting(db: Database, actor: str | None, capability: str) -> str:
    """The name under which a command writes, after checking that it may; raises ``NotPermitted`` otherwise."""
    from rivergis.db import people

    return people.acting(db, actor or settings().actor, capability, private=settings().database_url is None)


def plain(value: Any) -> Any:
    """A result as JSON-ready data: dataclasses become dicts, what is no number nothing; the rest as ``json`` knows it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say(line: str, err: bool = False) -> None:
    """Print one line that may quote what a file holds: nothing in it can steer the terminal or begin a line of its own."""
    click.echo(legible(line), err=err)


def advise(code: str, indent: str, err: bool = False) -> None:
    """Print what a person does about a defect, in the language of the settings, where the catalogue has it."""
    from rivergis import words

    advice = words.say(f"advice.{code}", settings().lang)
    if advice != code:
        click.echo(f"{indent}↳ {advice}", err=err)


def emit(result: Any, as_json: bool, text: str | None = None) -> None:
    """Print a result: JSON when asked for, else ``text``, else one ``field: value`` line each."""
    if as_json:
        click.echo(legible(json.dumps(plain(result), ensure_ascii=False, indent=1, default=str), keep="\n"))
    elif text is not None:
        click.echo(legible(text, keep="\n"))
    else:
        for key, value in plain(result).items():
            say(f"{key}: {value}")


def write_page(path: Path, html: str) -> None:
    """Write a text by way of a temporary name; ``EnvironmentFault`` where the place refuses it."""
    from rivergis.errors import EnvironmentFault

    part = path.with_name(path.name + ".part")
    try:
        part.write_text(html, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EnvironmentFault(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def write_json(path: Path, result: Any) -> None:
    """Write a result as JSON, see ``write_page``."""
    text = json.dumps(plain(result), ensure_ascii=False, indent=1, default=str)
    write_page(path, legible(text, keep="\n"))


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """Rows of a frame as JSON-ready values: nothing for NaN, shapes as WKT."""
    import pandas as pd
    import shapely

    def value(v: Any) -> Any:
        if isinstance(v, shapely.Geometry):
            return shapely.to_wkt(v, rounding_precision=9)
        if v is None or (pd.api.types.is_scalar(v) and pd.isna(v)):
            return None
        return v.item() if hasattr(v, "item") else v

    return [{str(k): value(v) for k, v in row.items()} for row in frame.to_dict("records")]


def deliver(frame: Any, out: Path | None, as_json: bool, layer: str = "result") -> None:
    """A frame to the screen, or to a file by its ending: .gpkg .geojson .csv .json; written whole or not at all."""
    if out is not None:
        write_frame(frame, out, layer)
        say(f"{len(frame)} → {out}")
    elif as_json:
        emit(rows_of(frame), True)
    else:
        rows = rows_of(frame)
        table(list(frame.columns), [list(r.values()) for r in rows])


def may_see_track(db: Database, head: Any, actor: str | None) -> str:
    """Who asks, if it may see a track: with the capability view_tracks, or because it is the own one."""
    from rivergis.patrol import store

    name = actor or settings().actor
    with db.read() as conn:
        own = name is not None and store.is_own(conn, head, name)
    return str(name) if own else acting(db, actor, "view_tracks")


def may_see_patrols(db: Database, actor: str | None, what: str) -> str:
    """Who asks for ``what`` names people with their patrols: takes view_tracks, and is in the audit like every look at them."""
    from rivergis.db import system

    who = acting(db, actor, "view_tracks")
    with db.write(who) as conn:
        system.audit(conn, who, "view", f"patrols:{what}")
    return who


def not_its_source(*outs: Path | None) -> None:
    """Refuse to write over a file that the running command reads, also with --overwrite: ``UsageError``."""
    from rivergis.errors import UsageError

    context = click.get_current_context(silent=True)
    given = {} if context is None else context.params
    own = [v for k, v in given.items() if k not in ("out", "depth")]
    sources = [v for v in own if isinstance(v, Path) and v.exists()]
    for out in outs:
        if out is not None and out.exists() and any(out.samefile(v) for v in sources):
            raise UsageError(f"{out} is what the result is made of: give another name.")


def write_frame(frame: Any, out: Path, layer: str = "result") -> None:
    """Write a frame (of shapes or not) by the ending of ``out``; ``UsageError`` for an ending that is not known."""
    import pyogrio

    from rivergis.errors import UsageError
    from rivergis.river import files

    ending = out.suffix.lower()
    if ending not in (".gpkg", ".geojson", ".csv", ".json"):
        raise UsageError(f"{out.name}: write to a name that ends in .gpkg, .geojson, .csv or .json.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    not_its_source(out)
    if ending == ".json":
        write_json(out, rows_of(frame))
        return
    with files.whole(out) as part:
        if ending == ".csv":
            spoken = [c for c in frame.columns if any(isinstance(v, str) for v in frame[c])]
            texts = frame.assign(**{c: [inert(v) if isinstance(v, str) else v for v in frame[c]] for c in spoken})
            texts.to_csv(part, index=False, encoding="utf-8-sig")
        else:
            from rivergis import crs

            pyogrio.write_dataframe(crs.outward(frame), part, layer=layer)


def beijing(at: Any) -> str | None:
    """A moment in Beijing time to the second, as people read it; None where there is none."""
    return None if at is None or at != at else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def head(headers: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """The first rows of a long table, and how many more there are."""
    table(headers, rows[:SHOWN], title)
    if len(rows) > SHOWN:
        say(f"另有 {len(rows) - SHOWN} 行 more rows; --out 写出全部 writes them all")


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print rows as a plain table that also reads well in a log file."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for header in headers:
        shown.add_column(header, overflow="fold")  # a sentence without spaces is broken, never cut
    rows = list(rows)
    for row in rows:
        shown.add_row(*("" if v is None else legible(str(v)) for v in row))
    console = Console(markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=160, markup=False, emoji=False)
    console.print(shown)
    if not rows:
        console.print("  无 none")


def reading_options(command: Any) -> Any:
    """Options of a command that reads a table or layer as an office delivers it: layer, system, datum, encoding."""
    for option in (
        click.option("--encoding", default=None, help="Text encoding, where the file names none: GBK, for instance."),
        click.option(
            "--datum",
            type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09"]),
            default=None,
            help="Datum of the positions; nothing is shifted unless you say so.",
        ),
        click.option(
            "--crs",
            callback=known_system,
            default=None,
            help="Coordinate system (EPSG:CODE), where the file names none or a wrong one.",
        ),
        click.option("--layer", "source_layer", default=None, help="Layer or sheet inside the file."),
    ):
        command = option(command)
    return command
