"""``rivergis encroachment baseline``: what was known before the first alarm, made by one person and signed by another."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common

if TYPE_CHECKING:
    from rivergis.db.connect import Database
    from rivergis.encroachment.baseline_workflow import Made, Shown
    from rivergis.encroachment.taking_workflow import Desk

DAY = common.CivilDay()
FILE = click.Path(path_type=Path)
ROLES = ("decisions", "ledger", "works")
_NAMED = 12


def how_options(command: Any) -> Any:
    """``--layer --crs --datum --encoding``: how files are to be read, for one role (works=...) or for all."""
    for name, metavar, text in (
        ("encoding", "[ROLE=]NAME", "Encoding of the text, e.g. ledger=gbk."),
        ("datum", "[ROLE=]DATUM", "Datum of the coordinates: wgs84, cgcs2000, gcj02, bd09."),
        ("crs", "[ROLE=]EPSG:CODE", "Coordinate system, where the file does not say it or says it wrongly."),
        ("layer", "[ROLE=]NAME", "Layer or sheet inside the file."),
    ):
        command = click.option(
            f"--{name}", multiple=True, metavar=metavar, help=f"{text} ROLE: {', '.join(ROLES)}; without it: of every file. Repeatable."
        )(command)  # fmt: skip
    return command


def desk(db: Database, actor: str, night: date | None) -> Desk:
    """Who compares by the rules of the home of this database: against a night, the last one that ran, or today."""
    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.encroachment import baseline_store, case_workflow
    from rivergis.encroachment.taking_workflow import Desk
    from rivergis.river import store as river_store

    settings = common.settings()
    today = datetime.now(common.SHANGHAI).date()
    with db.read() as conn:
        home = river_store.home(conn, today, now_of(conn)) or "000000"
        day = night or baseline_store.last_night(conn) or today
        places = case_workflow.register(conn, today)
    view = rules.load(settings.rules_dir).at(rules.path_of(home), today)
    return Desk(db, actor, settings.store_dir, view, day, places)


@click.group("baseline")
def baseline() -> None:
    """The baseline (基线): what is known before the first alarm starts as decided or in hand, the rest as 存量待核."""


@baseline.command("make")
@click.option(
    "--decisions",
    type=FILE,
    multiple=True,
    help="Last table of patch decisions (图斑核查表): outcomes ① to ④. Repeatable.",
)
@click.option(
    "--ledger",
    type=FILE,
    multiple=True,
    help="Problem ledger with the numbers of the higher level (问题台账). Repeatable.",
)
@click.option("--works", type=FILE, multiple=True, help="Known water works (水工程名录): points or areas. Repeatable.")
@click.option(
    "--works-approved",
    is_flag=True,
    help="You say that the works of these lists are lawful; else only those with an approval are taken so.",
)
@click.option(
    "--ledger-name",
    "names",
    multiple=True,
    help="Name of the list each --ledger is, in their order (default: name of the file).",
)
@click.option(
    "--issued-on", type=DAY, default=None, help="Civil day of the ledger: deadlines without a year count from it."
)
@click.option("--night", type=DAY, default=None, help="Night up to which leads are stock (default: the last that ran).")
@click.option("--profile", default="national", show_default=True, help="List profile from gis/rules/list_fields.")
@click.option(
    "--patch-profile",
    default="patches",
    show_default=True,
    help="Profile of the patch table from gis/rules/import_fields.",
)
@click.option("--out", type=FILE, default=None, help="Report of what matched how, as .xlsx or .json.")
@how_options
@common.actor_option
@common.json_option  # fmt: skip
def make(
    decisions: tuple[Path, ...],
    ledger: tuple[Path, ...],
    works: tuple[Path, ...],
    works_approved: bool,
    names: tuple[str, ...],
    issued_on: datetime | None,
    night: datetime | None,
    profile: str,
    patch_profile: str,
    out: Path | None,
    actor: str | None,
    as_json: bool,
    **how: tuple[str, ...],
) -> int:
    """Make a baseline: rows that mean a lead move it in your name, ledger rows that mean none become cases, the rest is 存量待核.

    What may mean several leads, contradicts its state or has no usable place is listed and never decided by the machine (exit code
    4). The same files again change nothing; another baseline supersedes the last and is signed anew. Takes inspect.

    \b
    Example:
      rivergis encroachment baseline make --decisions 图斑核查表.xlsx --ledger 问题台账.xlsx --works 水闸.gpkg --as demo-inspector
    """
    from rivergis.encroachment import baseline_files, baseline_workflow, patch_files, superior_workflow
    from rivergis.encroachment.superior_workflow import ListOf
    from rivergis.errors import UsageError
    from rivergis.intake import profile as profiles
    from rivergis.intake.limits import Limits
    from rivergis.jobs import reference

    if len(names) > len(ledger):
        raise UsageError("Give --ledger-name once for each --ledger at most.")
    _may_report(out)
    settings = common.settings()
    db = common.database()
    who = common.acting(db, actor, "inspect")
    lists = baseline_files.load_profile(profile, settings.rules_dir)
    _, spelled = patch_files.mapping(profiles.load(patch_profile, settings.rules_dir))
    more = {"reference": reference.of_database(db), "limits": Limits.of(settings.max_limits)}
    asked = {role: _asked(how, role) for role in ROLES}
    called = [*names, *(p.stem for p in ledger[len(names) :])]
    abouts = [
        ListOf(n, "problems", lists, None, issued_on.date() if issued_on else None, _options(how, "ledger"))
        for n in called
    ]
    sources = baseline_workflow.Sources(
        [baseline_workflow.read_decisions(p, spelled, lists, asked=asked["decisions"], **more) for p in decisions],
        [(superior_workflow.read(p, a, asked=asked["ledger"], **more), a) for p, a in zip(ledger, abouts, strict=True)],
        [baseline_workflow.read_works(p, lists, asked=asked["works"], **more) for p in works],
        works_approved,
    )
    made = baseline_workflow.make(desk(db, who, night.date() if night else None), sources)
    shown = baseline_workflow.shown(db, made.number)
    _report(shown, out)
    _tell(shown, made, as_json)
    return common.EXIT_PARTLY if any(i["start"] == "listed" for i in shown.items) else 0


def _asked(how: dict[str, tuple[str, ...]], role: str) -> Any:
    from rivergis.intake.delivery import Asked

    said = _options(how, role)
    common.known_system(click.get_current_context(), None, said.get("crs"))  # type: ignore[arg-type]
    return Asked(said.get("layer"), said.get("crs"), said.get("datum"), said.get("encoding"))


def _options(how: dict[str, tuple[str, ...]], role: str) -> dict[str, str]:
    """What was said for a role: under its own name before what was said for every file."""
    out: dict[str, str] = {}
    for option, values in how.items():
        for value in values:
            named, _, own = value.partition("=")
            if named in ROLES and own:
                out |= {option: own} if named == role else {}
            else:
                out.setdefault(option, value)
    return out


@baseline.command("show")
@click.option("--number", type=int, default=None, help="An earlier baseline (default: the last).")
@click.option("--out", type=FILE, default=None, help="Report of what matched how, as .xlsx or .json.")
@common.json_option
def show(number: int | None, out: Path | None, as_json: bool) -> None:
    """What a baseline was made of, how its rows matched, who signed it, and the rows that a person must look at.

    \b
    Example:
      rivergis encroachment baseline show
      rivergis encroachment baseline show --out 基线.xlsx
    """
    from rivergis.encroachment import baseline_workflow

    _may_report(out)
    shown = baseline_workflow.shown(common.database(), number)
    _report(shown, out)
    _tell(shown, None, as_json)


@baseline.command("sign")
@click.option(
    "--number", type=int, default=None, help="The baseline you mean, so that you sign no other (default: the last)."
)
@click.option("--reason", required=True, help="Why it may stand, in words.")
@common.actor_option
@common.json_option
def sign(number: int | None, reason: str, actor: str | None, as_json: bool) -> int:
    """Sign the last baseline: from then on leads told after its night are new (新增), and what its ledgers say is closed is closed.

    Takes review_findings; who made it cannot sign it. Exit code 4: some cases could not be closed.

    \b
    Example:
      rivergis encroachment baseline sign --reason "逐条核对,同意" --as demo-reviewer
    """
    from rivergis.encroachment import baseline_workflow

    db = common.database()
    who = common.acting(db, actor, "review_findings")
    signed, closed = baseline_workflow.sign(desk(db, who, None), reason, number)
    if as_json:
        common.emit({"number": signed, "signed_by": who, "closed": closed.closed, "refused": closed.refused}, True)
    else:
        common.say(
            f"基线 {signed} 已签认 baseline {signed} signed by {who}; 据台账销号 closed {closed.closed}, 未能销号 refused {len(closed.refused)}"
        )
        for r in closed.refused[:_NAMED]:
            common.say(f"  {r['finding'][:8]}: {r['why']}")
    return common.EXIT_PARTLY if closed.refused else 0


def _may_report(out: Path | None) -> None:
    from rivergis.errors import UsageError

    if out is None:
        return
    if out.suffix.lower() not in (".xlsx", ".json"):
        raise UsageError(f"{out.name}: a report of a baseline is .xlsx or .json.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"The folder {out.absolute().parent} does not exist: make it, or give another --out.")
    common.not_its_source(out)


def _report(shown: Shown, out: Path | None) -> None:
    if out is None:
        return
    if out.suffix.lower() == ".json":
        common.write_json(out, shown)
        return
    from rivergis.reports import baseline_sheet

    baseline_sheet.write(shown, out)


def _tell(shown: Shown, made: Made | None, as_json: bool) -> None:
    from rivergis import words

    if as_json:
        common.emit(shown, True)
        return
    known = " (已有,未变 known, nothing changed)" if made is not None and made.known else ""
    signed = (
        f"{words.both('baseline.signed')}: {shown.signed_by}" if shown.signed_by else words.both("baseline.unsigned")
    )
    common.say(f"基线 baseline {shown.number}{known}, 截至 up to {shown.night}, {shown.made_by}; {signed}")
    leads = shown.counts["leads"].items()
    common.say("  线索 leads: " + (", ".join(f"{words.both('baseline_start.' + k)} {n}" for k, n in leads) or "0"))
    for source, counts in shown.counts["rows"].items():
        if source != "stock":
            told = ", ".join(f"{words.both('baseline_how.' + k)} {n}" for k, n in counts.items())
            common.say(f"  {words.both('baseline_source.' + source)}: {told}")
    listed = [i for i in shown.items if i["start"] == "listed"]
    if listed:
        rows = [
            (words.both(f"baseline_source.{i['source']}"), i["source_feature"], i["number"], words.both(f"baseline_how.{i['how']}"), _why(i))
            for i in listed
        ]  # fmt: skip
        common.head(
            ("来源 source", "行 row", "编号 number", "原因 why", "可能 may be"), rows, "待人工认定 for a person"
        )


def _why(item: dict[str, Any]) -> str:
    figures = item["figures"]
    may_be = [f"{m['finding'][:8]} ({m.get('distance_m', 0):g} m)" for m in figures.get("may_be", ())]
    return ", ".join(may_be) or left(figures)


def left(figures: dict[str, Any]) -> str:
    """What stands against a row, in words."""
    from rivergis import words

    if "says" in figures:
        now, said = (words.both(f"state.finding.{figures[k]}") for k in ("is", "says"))
        return words.both("baseline_left.differs", now=now, said=said)
    code = str(figures.get("left") or figures.get("why") or "")
    key = f"baseline_left.{code}"
    return words.both(key) if key in words.catalogue() else code


COMMANDS: tuple[click.Command, ...] = (baseline,)
