"""``rivergis feed``: who delivers what and how often, what is late, and the folders that are read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.encroachment.feeds import Feed

DAY = common.CivilDay()
KIND_NAMES = ("patches", "hotline", "video", "drone", "footprints", "reports", "other")
_SHOWN_FILES = 20
_NONE = "none"


@click.group("feed")
def command() -> None:
    """Feeds (数据来源): national patches, hotline, tower video, drones, folders: form, cadence, last arrival.

    \b
    Example:
      rivergis feed add hotline --kind hotline --folder /data/inbox/hotline --cadence-days 1 --crs EPSG:4490
      rivergis feed take-in
      rivergis feed list
    """


def _system(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    return text if text == _NONE else common.known_system(context, parameter, text)


def describing(f: Any) -> Any:
    """Options that say what a feed is; none of them is needed to change another."""
    for option in reversed(
        (
            click.option("--name", default=None, help="What people call it."),
            click.option("--folder", type=click.Path(path_type=Path), default=None, help="Inbox on this machine; read, never changed ('none': none)."),
            click.option("--profile", default=None, help="Field profile from gis/rules/import_fields (default: that of the kind)."),
            click.option("--layer", "source_layer", default=None, help="Layer or sheet inside its files ('none': all that the profile takes)."),
            click.option("--crs", callback=_system, default=None, help="Coordinate system (EPSG:CODE), where its files name none or a wrong one ('none': as they say)."),
            click.option("--datum", type=click.Choice(["wgs84", "cgcs2000", "gcj02", "bd09", _NONE]), default=None, help="Datum of its positions; nothing is shifted unless you say so."),
            click.option("--encoding", default=None, help="Text encoding, where its files name none: GBK, for instance ('none': as they say)."),
            click.option("--complete/--addition", default=None, help="Whether each delivery is all there is, or adds to those before (default: that of the kind)."),
            click.option("--parts/--whole", default=None, help="Whether a complete picture comes in several files, one a part by its name without the day."),
            click.option("--images/--no-images", default=None, help="Whether pictures with a place (GeoTIFF) in its folder are taken in."),
            click.option("--date-pattern", default=None, help="How the name of a file says its day: alerts_YYYYMMDD* ('none': 2026-05-20 or 20260520 anywhere)."),
            click.option("--cadence-days", type=int, default=None, help="A delivery is expected every so many days (0: no rhythm)."),
            click.option("--late-after", "late_after_days", type=int, default=None, help="Days without a delivery after which it is late."),
            click.option("--dead-after", "dead_after_days", type=int, default=None, help="Days without a delivery after which it is dead."),
            click.option("--owner", default=None, help="Office that answers for it; no person."),
            click.option("--until", type=DAY, default=None, help="Last civil day on which it is a feed; it is not missed after it."),
        )
    ):  # fmt: skip
        f = option(f)
    return f


def _said(o: dict[str, Any]) -> dict[str, Any]:
    """What was said of a feed; 'none' (and 0 days) is nothing."""
    folder = o.pop("folder")
    said = {k: v.date() if k == "until" else v for k, v in o.items() if v is not None}
    if folder is not None:
        said["folder"] = _NONE if str(folder) == _NONE else str(folder.absolute())
    return {k: None if v == _NONE or (k == "cadence_days" and v == 0) else v for k, v in said.items()}


@command.command()
@click.argument("code")
@click.option("--kind", type=click.Choice(KIND_NAMES), required=True, help="What it delivers.")
@describing
@common.actor_option
@common.json_option
def add(code: str, kind: str, actor: str | None, as_json: bool, **o: Any) -> None:
    """Register a feed. CODE is the name its deliveries go by ('rivergis import candidate --feed CODE').

    \b
    Example:
      rivergis feed add national --kind patches --folder /data/inbox/patches --cadence-days 30 --owner 水利部
      rivergis feed add tower --kind video --folder /data/inbox/tower --cadence-days 1 --crs EPSG:4490
      rivergis feed add drone --kind drone --folder /data/inbox/drone --date-pattern '*_YYYYMMDD*'
      rivergis feed add inspector --kind reports --cadence-days 7
    """
    from rivergis.encroachment import feed_store
    from rivergis.encroachment.feeds import KINDS, Feed
    from rivergis.errors import UsageError

    db = common.database()
    who = common.acting(db, actor, "import")
    usual = KINDS[kind]
    bare = Feed(code, code, kind, usual.profile, usual.complete, usual.images)
    with db.read() as conn:
        if feed_store.registered(conn, code):
            raise UsageError(f"A feed {code!r} is registered already: change it with 'rivergis feed change {code}'.")
    _register(db, replace(bare, **_said(o)), who, as_json)


@command.command()
@click.argument("code")
@click.option("--kind", type=click.Choice(KIND_NAMES), default=None, help="What it delivers.")
@describing
@common.actor_option
@common.json_option
def change(code: str, actor: str | None, as_json: bool, **o: Any) -> None:
    """Change what is said of a feed; the versions before are kept. Files that are in stay as they came in.

    \b
    Example:
      rivergis feed change tower --datum gcj02 --late-after 2
      rivergis feed change national --until 2026-12-31
    """
    from rivergis.encroachment import feed_store

    db = common.database()
    who = common.acting(db, actor, "import")
    said = _said(o)
    with db.read() as conn:
        before = feed_store.feed(conn, code)
    if "cadence_days" in said:  # the days of the old cadence say nothing of the new one
        before = replace(before, late_after_days=None, dead_after_days=None)
    _register(db, replace(before, **said), who, as_json)


def _register(db: Any, feed: Feed, who: str, as_json: bool) -> None:
    from rivergis import rules
    from rivergis.jobs import feed_files

    s = common.settings()
    done = feed_files.register(db, feed, rules.load(s.rules_dir), who, rules_dir=s.rules_dir)
    if as_json:
        common.emit(done, True)
        return
    _tell(common.plain(done))
    if done.folder and not Path(done.folder).is_dir():
        common.say(f"收件夹尚不存在 the folder is not there yet: {done.folder}", err=True)


def _tell(row: dict[str, Any]) -> None:
    from rivergis import words

    for name, value in row.items():
        if value is not None:
            shown = words.both(f"feed_kind.{value}") if name == "kind" else value
            common.say(f"{words.both('feed_field.' + name)}: {shown}")


@command.command("list")
@click.option("--date", "day", type=DAY, default=None, help="As of this civil day (default: today).")
@common.json_option
def list_(day: datetime | None, as_json: bool) -> None:
    """Every feed: cadence, last arrival, late or dead, failed files; also those that deliver and nobody registered.

    \b
    Example:
      rivergis feed list
      rivergis feed list --date 2026-05-20 --json
    """
    from rivergis import words
    from rivergis.db.connect import now_of
    from rivergis.encroachment import feed_store

    with common.database().read() as conn:
        on = day.date() if day else _today()
        states = feed_store.states(conn, on, now_of(conn))
    if as_json:
        common.emit(states, True)
        return
    common.table(
        ("来源 feed", "名称 name", "类型 kind", "期次 days", "最近到达 last arrival", "所属日 stands for", "已过天数 days since", "状态 state", "失败文件 failed files"),
        [
            (
                r["code"], r["name"], words.both("feed_kind." + r["kind"]), r["cadence_days"], common.beijing(r["last_arrival"]),
                r["last_delivered_on"], r["days_since"], words.both("feed_state." + r["state"]), r["files_failed"] or None,
            )
            for r in states
        ],
        title=f"{on} 数据来源 feeds",
    )  # fmt: skip


def _today() -> date:
    from datetime import UTC

    return datetime.now(UTC).astimezone(common.SHANGHAI).date()


@command.command()
@click.argument("code")
@common.json_option
def show(code: str, as_json: bool) -> None:
    """A feed: what is said of it, by whom it was changed, how it stands, and what became of its last files.

    \b
    Example:
      rivergis feed show hotline
    """
    from rivergis import words
    from rivergis.db.connect import now_of
    from rivergis.encroachment import feed_store

    with common.database().read() as conn:
        feed = feed_store.feed(conn, code)
        history = feed_store.history(conn, code)
        state = next((r for r in feed_store.states(conn, _today(), now_of(conn)) if r["code"] == code), None)
        files = feed_store.files(conn, code, 1000 if as_json else _SHOWN_FILES)
    if as_json:
        common.emit({"feed": feed, "state": state, "versions": history, "files": files}, True)
        return
    _tell(common.plain(feed))
    if state:
        common.say(
            f"状态 state: {words.both('feed_state.' + state['state'])}, {common.beijing(state['last_arrival']) or '-'}"
        )
    for h in history:
        common.say(f"版本 version {h['version']}: {common.beijing(h['recorded_at'])} {h['actor']}")
    _files_table([(common.beijing(f["recorded_at"]), f["state"], f["sentence"]) for f in files])


def _files_table(rows: list[tuple[Any, str, str]]) -> None:
    from rivergis import words

    common.table(
        ("时间 when", "结果 result", "说明 what became of it"),
        [(when, words.both("feed_file." + state), said) for when, state, said in rows],
        title="文件 files",
    )


@command.command("take-in")
@click.argument("codes", nargs=-1)
@click.option(
    "--settle",
    "settle_s",
    type=click.IntRange(0),
    default=None,
    help="Seconds a file must have lain unchanged (default: RIVERGIS_FEED_SETTLE_S, 120).",
)
@click.option("--again", is_flag=True, help="Also files that are in, after what is said of the feed was corrected.")
@common.actor_option
@common.json_option
def take_in(codes: tuple[str, ...], settle_s: int | None, again: bool, actor: str | None, as_json: bool) -> int:
    """Read the folders of all feeds (or of CODES) and take in what is new; the night does the same.

    The same file again is nothing; one that is still being written waits; a bad one is told and tried again next time.
    Nothing in a folder is changed, moved or deleted. Exit code 4: something failed or was set aside.

    \b
    Example:
      rivergis feed take-in
      rivergis feed take-in hotline tower --settle 0
      rivergis feed take-in tower --again
    """
    from rich.console import Console

    from rivergis import rules
    from rivergis.jobs import feed_files

    s, db = common.settings(), common.database()
    who = common.acting(db, actor, "import")
    console = Console(stderr=True, markup=False, emoji=False)
    done = feed_files.take_in(
        db,
        rules.load(s.rules_dir),
        who,
        rules_dir=s.rules_dir,
        store_dir=s.store_dir,
        only=codes,
        settle_s=settle_s,
        again=again,
        progress=lambda said: console.print(f"  {said}", style="dim", highlight=False),
    )
    if as_json:
        common.emit(done, True)
    else:
        _show_taken(done)
    return common.EXIT_PARTLY if any(f.state in ("failed", "partly") for f in done) else 0


def _show_taken(done: list[Any]) -> None:
    from rivergis import words

    if not done:
        common.say("没有新文件 nothing new in the folders of the feeds")
        return
    common.table(
        ("来源 feed", "结果 result", "说明 what became of it"),
        [(f.feed, words.both("feed_file." + f.state), f.sentence) for f in done],
    )
    counts = Counter(f.state for f in done)
    common.say(", ".join(f"{words.both('feed_file.' + s)} {n}" for s, n in sorted(counts.items())))
