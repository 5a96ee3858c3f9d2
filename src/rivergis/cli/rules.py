"""``rivergis rules``: which value holds at a place on a day, and why."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.db.connect import Database
    from rivergis.rules import AllowedUse, Classified, LocalWord, RuleBook, RuleValue

FACT = click.option(
    "--fact",
    "facts",
    multiple=True,
    metavar="NAME=VALUE",
    help="A fact the row may depend on, e.g. chief_level=village; repeatable.",
)


@click.group("rules")
def command() -> None:
    """Rules as data: every value with unit, basis, source, status and dates."""


def _facts(facts: tuple[str, ...]) -> dict[str, object]:
    out: dict[str, object] = {}
    for fact in facts:
        name, _, value = fact.partition("=")
        out[name] = int(value) if re.fullmatch(r"-?\d+", value) else value
    return out


def _adcode(place: str, book: RuleBook) -> str:
    """Adcode of a place given as adcode, name or LON,LAT: from the rules, else from the database's administrative units."""
    from rivergis.errors import NotFound, UsageError
    from rivergis.river import store

    if re.fullmatch(r"\d{6}(\d{3}){0,2}", place):
        return place
    exact = [code for code, j in book.jurisdictions.items() if place in (j["zh"], j["en"])]
    listed = {a["adcode"] for a in book.taxonomy["aliases"] if a["place"] == place}
    named = (
        exact
        or sorted(listed)
        or [c for c, j in book.jurisdictions.items() if len(place) > 1 and j["zh"].startswith(place)]
    )
    if len(named) == 1:
        return named[0]
    lonlat = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*", place)
    db = _running_database()
    units = []
    if db:
        with db.read() as conn:
            units = (
                store.units_at(conn, float(lonlat[1]), float(lonlat[2])) if lonlat else store.units_named(conn, place)
            )
    if not units:
        raise NotFound(
            f"No administrative unit {'at' if lonlat else 'named'} {place!r} is in the rules{' or the database' if db else ''}: "
            f"give an adcode (six, nine or twelve digits){'' if db else ', or start the database to look it up there'}."
        )
    if not lonlat and len({u.adcode for u in units}) > 1:
        which = ", ".join(f"{u.adcode} ({u.level})" for u in units[:8])
        raise UsageError(f"{place!r} names several administrative units, give the adcode of one: {which}.")
    return units[0].adcode


def _running_database() -> Database | None:
    """The database, if a server is there already: explaining a rule starts none."""
    from rivergis.db.cluster import Cluster

    if common.settings().database_url is None and not Cluster(common.settings().data_dir).status().running:
        return None
    return common.database()


@command.command()
@click.argument("key")
@click.option("--at", "place", default="000000", show_default=True, metavar="ADCODE|NAME|LON,LAT", help="Where.")
@click.option("--on", "day", type=common.CivilDay(), default=None, help="Civil day (default: today).")
@FACT
@common.json_option
def show(key: str, place: str, day: datetime | None, facts: tuple[str, ...], as_json: bool) -> None:
    """Which value of KEY holds at a place on a day, which layer won, and on what basis.

    \b
    Example:
      rivergis rules show patrol.effective.min_duration --at 440100 --on 2026-05-20
      rivergis rules show boundary.unleveed.return_period --at 500199 --fact plan_area=county_seat
    """
    from rivergis import rules

    book = rules.load(common.settings().rules_dir)
    adcode, on = _adcode(place, book), (day or datetime.now()).date()
    given = _facts(facts)
    rows = book.explain(key, rules.path_of(adcode), on, **given)
    won = next((c.row for c in rows if c.won), None)
    if as_json:
        common.emit(
            {
                "key": key,
                "at": adcode,
                "on": str(on),
                "facts": given,
                "value": won.as_dict() if won else None,
                "considered": [{"row": c.row.as_dict(), "won": c.won, "why": c.why} for c in rows],
            },
            True,
        )
        return
    label = book.registry[key]
    click.echo(f"{label['zh']} · {label['en']}  ({key}) @ {adcode} on {on}")
    click.echo(
        f"  取值 value: {won.value} {won.unit or ''}  [{won.status}]  依据 basis: {won.basis}  来源 source: {won.source}\n"
        f"  主管部门 authority: {won.competent_authority}  可采取 our action: {won.our_action}  规则集 rule set: {won.ruleset} {won.ruleset_version}"
        if won
        else "  没有适用的规则行 no row holds here: nothing is assumed"
    )
    common.table(
        ("胜出 won", "辖区 jurisdiction", "值 value", "适用 applies to", "状态 status", "起止 dates", "原因 why"),
        [
            (
                "✓" if c.won else "",
                f"{c.row.jurisdiction} {book.jurisdictions[c.row.jurisdiction]['zh']}",
                c.row.value,
                _conditions(c.row),
                c.row.status,
                f"{c.row.valid_from or ''} – {c.row.valid_to or ''}",
                c.why,
            )
            for c in rows
        ],
    )


@command.command("list")
@click.option("--prefix", default="", help="Only keys that begin so.")
@click.option("--at", "place", default=None, metavar="ADCODE|NAME|LON,LAT", help="Only rows that may hold here.")
@click.option("--on", "day", type=common.CivilDay(), default=None, help="Only rows in force on that day.")
@common.json_option
def list_(prefix: str, place: str | None, day: datetime | None, as_json: bool) -> None:
    """Rule rows: all, or those that may hold at a place (its own and the layers above) or on a day.

    \b
    Example:
      rivergis rules list --prefix patrol. --at 500199 --on 2026-05-20
    """
    from rivergis import rules

    book = rules.load(common.settings().rules_dir)
    path = rules.path_of(_adcode(place, book)) if place else None
    rows = [
        r
        for r in book.rows()
        if r.key.startswith(prefix)
        and (path is None or r.jurisdiction in path)
        and (day is None or r.holds_on(day.date()))
    ]
    if as_json:
        common.emit([r.as_dict() for r in rows], True)
        return
    common.table(
        (
            "键 key",
            "辖区 jurisdiction",
            "值 value",
            "单位 unit",
            "适用 applies to",
            "状态 status",
            "主管部门 authority",
            "可采取 action",
        ),
        [
            (
                r.key,
                f"{r.jurisdiction} {book.jurisdictions[r.jurisdiction]['zh']}",
                r.value,
                r.unit,
                _conditions(r),
                r.status,
                r.competent_authority,
                r.our_action,
            )
            for r in rows
        ],
    )


def _conditions(row: RuleValue) -> str:
    return ", ".join(f"{k}={v}" for k, v in row.applies_to.items())


@command.command()
@click.argument("word")
@click.option("--at", "place", default="000000", show_default=True, metavar="ADCODE|NAME|LON,LAT", help="Where.")
@click.option("--kind", default="unknown", show_default=True, help="Kind of object the source gives it.")
@click.option("--on", "day", type=common.CivilDay(), default=None, help="Civil day (default: today).")
@common.json_option
def classify(word: str, place: str, kind: str, day: datetime | None, as_json: bool) -> None:
    """What a source's own WORD means at a place: local list, national groups (四乱 and wider), class, and what the law asks.

    A word that stands nowhere is not known, and is said to be: add it to gis/rules/taxonomy.yaml.

    \b
    Example:
      rivergis rules classify 乱排乱倒 --at 350504
      rivergis rules classify 拦河养鱼 --at 500199 --kind net_pen
    """
    from rivergis import layers, rules, words
    from rivergis.errors import UsageError

    kinds = layers.layer("candidate").column("kind").choices
    if kind not in kinds:
        raise UsageError(f"There is no kind {kind!r} of object; the kinds are {', '.join(kinds)}.")
    book = rules.load(common.settings().rules_dir)
    view = book.at(rules.path_of(_adcode(place, book)), (day or datetime.now()).date())
    told, found = view.class_of(kind, word), book.local_class(view.path, word)
    asks = view.prohibitions(_GROUNDS, told.taxon.code)
    use = view.lawful_use(kind, word)
    graded = view.find(told.taxon.severity) if told.taxon.severity not in (None, "listed") else None
    if as_json:
        common.emit(
            {
                "word": word,
                "at": view.path[-1],
                "known": found.known,
                "local_list": found.place,
                "source": found.source,
                "groups": found.groups,
                "told_by": told.told_by,
                "class": asdict(told.taxon),
                "severity": graded.as_dict() if graded else None,
                "lawful_use": asdict(use) if use else None,
                "prohibitions": asks,
            },
            True,
        )
        return
    _say_class(found, told, use, graded)
    common.table(
        ("所在 ground or zone", "要求 needs", "事项 subject", "依据 clause", "主管部门 authority"),
        [
            (
                ", ".join(words.say(f"ground.{z}") for z in a["zone"]),
                a["needs"],
                a["subject"],
                a["clause"],
                a["competent_authority"],
            )
            for a in asks
        ],
    )


_GROUNDS = (
    *("management_area", "levee", "berm", "channel", "beach"),
    *("source_zone", "source_zone.1", "source_zone.2", "source_zone.3"),
)


def _say_class(found: LocalWord, told: Classified, use: AllowedUse | None, graded: RuleValue | None) -> None:
    from rivergis import words

    taxon = told.taxon
    where = f"({found.place} {found.source})" if found.place else ""
    click.echo(f"{found.word}: " + ("、".join(found.groups) or ("" if found.known else "未收录 not known")) + where)
    note = (
        ""
        if told.told_by == "word" or found.use
        else words.both(f"verdict_note.word_{'several' if found.known else 'unknown'}")
    )
    click.echo(f"  类别 class: {taxon.zh} {taxon.en} [{taxon.code}]  {note}".rstrip())
    click.echo(
        f"  依据 clause: {taxon.clause}  主管部门 authority: {taxon.competent_authority}  可采取 our action: {taxon.our_action}"
    )
    grade = (
        "列入清单,不论大小 listed, whatever its size"
        if taxon.severity == "listed"
        else "无分级标准 no threshold"
        if graded is None or graded.value is None
        else f"{graded.value} {graded.unit} [{graded.status}]"
    )
    click.echo(f"  计量 measured in: {taxon.measure}  分级 severity: {grade}")
    if use:
        click.echo(
            f"  可能的依法利用 possible lawful use: {use.zh} {use.clause}"
            + (f" 须查证 {use.evidence}" if use.evidence else "")
        )


@command.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@common.json_option
def check(folder: Path | None, as_json: bool) -> None:
    """Check every rule file; exit 3 with one sentence when one is wrong.

    \b
    Example:
      rivergis rules check
    """
    from rivergis import rules

    book = rules.load(folder or common.settings().rules_dir)
    common.emit(
        {"version": book.version, "rows": len(book.rows()), "keys": len(book.registry)},
        as_json,
        f"规则有效 rules are sound: {len(book.rows())} rows, {len(book.registry)} keys, version {book.version}",
    )
