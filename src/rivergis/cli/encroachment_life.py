"""``rivergis encroachment move``: a step in the life of a case."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.cli.river_chainage import position

if TYPE_CHECKING:
    from rivergis.encroachment.life_workflow import Evidence

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
_UNIT = re.compile(
    r"((?P<role>responsible|supporting|police|procurator):)?(?P<unit>[^=@]+?)\s*(=(?P<measure>.*?))?\s*(@(?P<deadline>\d{4}-\d{2}-\d{2}))?"
)
_MOMENTS = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z")


def evidence_options(command: Any) -> Any:
    """``--evidence`` with ``--at``, ``--datum`` and ``--taken-at``."""
    for option in (
        click.option("--taken-at", type=click.DateTime(_MOMENTS), default=None, help="When it was taken, Beijing time unless it says a zone; missing = as the picture tells."),
        click.option("--datum", type=click.Choice(DATUMS), default="wgs84", show_default=True, help="Datum of --at."),
        click.option("--at", metavar="LON,LAT", callback=position, default=None, help="Where it was taken, in degrees; missing = as the picture tells."),
        click.option("--evidence", type=FILE, multiple=True, help="Picture or document of what was done; may be given more than once."),
    ):  # fmt: skip
        command = option(command)
    return command


def evidence_of(
    files: tuple[Path, ...], at: tuple[float, float] | None, datum: str, taken_at: datetime | None
) -> list[Evidence]:
    """What the options of ``evidence_options`` say."""
    from rivergis.encroachment.life_workflow import Evidence
    from rivergis.errors import UsageError

    if not files and (at is not None or taken_at is not None):
        raise UsageError("--at and --taken-at say where and when evidence was taken: give it with --evidence FILE.")
    lon, lat = at or (None, None)
    return [Evidence(f, lon, lat, taken_at, datum) for f in files]


def units_of(said: tuple[str, ...], lead: str | None) -> list[dict[str, Any]]:
    """``[ROLE:]NAME[=MEASURE][@YYYY-MM-DD]`` as units; the first one leads unless ``lead`` names another."""
    from rivergis.errors import UsageError

    units: list[dict[str, Any]] = []
    for text in said:
        found = _UNIT.fullmatch(text.strip())
        if found is None:
            raise UsageError(f"{text!r} is no unit: write NAME, NAME=MEASURE or NAME=MEASURE@YYYY-MM-DD.")
        units.append({k: v.strip() for k, v in found.groupdict().items() if v and v.strip()})
    names = [u["unit"] for u in units]
    if lead is not None and lead not in names:
        raise UsageError(f"--lead {lead} is none of the units given: {', '.join(names) or 'none'}.")
    for u in units:
        u["lead"] = u["unit"] == (lead or names[0])
    return units


@click.command()
@click.argument("case")
@click.argument("move")
@click.option("--reason", default=None, help="Reason in words.")
@click.option("--attach", type=FILE, default=None, help="Document.")
@evidence_options
@click.option("--deadline", type=common.CivilDay(), default=None, help="Last civil day of rectification.")
@click.option("--measure", default=None, help="What is to be done.")
@click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="NAME[=MEASURE][@DAY]",
    help="Unit responsible, the first one leads; may be given more than once. With unit_done: who is done.",
)
@click.option("--lead", default=None, help="Which of the units leads.")
@click.option(
    "--severity", type=click.Choice(["一般", "较严重", "重大"]), default=None, help="Severity as people see it."
)
@click.option("--class", "class_code", default=None, help="Class as people see it, a code of the taxonomy.")
@click.option("--authority", default=None, help="Office that instructs (instruct) or closes (close_above).")
@click.option(
    "--level",
    "authority_level",
    type=click.Choice(["county", "city", "province", "nation"]),
    default=None,
    help="Level of that office.",
)
@click.option("--document-no", default=None, help="Number of the document.")
@click.option(
    "--stage",
    type=click.Choice(["card", "notice", "letter", "order"]),
    default=None,
    help="Stage of escalation: 卡 单 函 令.",
)
@click.option("--into", default=None, metavar="CASE", help="Case that goes on for this one (merge).")
@click.option("--why-not-all", default=None, help="Why it is rectified although not every unit is done.")
@click.option("--doubts-seen", is_flag=True, help="The differences told with the evidence were looked at (accept).")
@common.actor_option
@common.json_option
def move(
    case: str, move: str, reason: str | None, attach: Path | None, evidence: tuple[Path, ...], at: tuple[float, float] | None,
    datum: str, taken_at: datetime | None, deadline: datetime | None, measure: str | None, units: tuple[str, ...], lead: str | None,
    actor: str | None, as_json: bool, doubts_seen: bool, **said: str | None,
) -> None:  # fmt: skip
    """Take a step in the life of a case: judge_problem, assign, rectify, accept, close, merge ... (docs/lifecycles.md).

    CASE is its number in the ledger, its number at a higher level, or the beginning of its id. What a picture says otherwise than
    you, or than the place of the case, is told and kept.

    \b
    Example:
      rivergis encroachment move 3f2a91c0 judge_not_a_problem --reason 许可工程 --as demo-inspector
      rivergis encroachment move 500199-2026-0012 assign --deadline 2026-06-30 --measure 拆除并复绿 \\
        --unit 水利局 --unit 城管局=清运@2026-06-15 --as demo-inspector
      rivergis encroachment move 500199-2026-0012 rectify --evidence photo.jpg --at 106.02,29.41 --taken-at 2026-06-20T09:30 --as demo-inspector
    """
    from rivergis import lifecycle, rules
    from rivergis.encroachment import life_workflow
    from rivergis.encroachment.case_proof import Bounds
    from rivergis.errors import UsageError

    life = lifecycle.load()["finding"]
    if move not in life.moves:
        raise UsageError(f"There is no move {move!r}; the moves are {', '.join(life.moves)}.")
    detail: dict[str, Any] = {k: v for k, v in said.items() if v is not None}
    detail |= {"deadline": str(deadline.date())} if deadline else {}
    detail |= {"measure": measure} if measure is not None else {}
    detail |= {"doubts_seen": True} if doubts_seen else {}
    if units:
        detail |= {"unit": units[0]} if move == "unit_done" else {"units": units_of(units, lead)}
    files = evidence_of(evidence, at, datum, taken_at)
    db = common.database()
    who = common.acting(db, actor, life.moves[move].capability)
    view = rules.load(common.settings().rules_dir).at((rules.NATIONAL,), datetime.now(common.SHANGHAI).date())
    done = life_workflow.take_step(
        db, case, move, who, reason=reason, attachment=attach, store_dir=common.settings().store_dir, detail=detail,
        evidence=files, bounds=Bounds.of(view),
    )  # fmt: skip
    common.emit(done, as_json, None if as_json else _told(done))


def _told(done: Any) -> str:
    from rivergis import words

    head = (
        f"{done.number} {words.both('move.' + done.move)} → {words.both('state.finding.' + done.state)} ({done.actor})"
    )
    return "\n".join([head, f"  线索 case: {done.finding}", *(f"  ⚠ {t}" for t in done.told)])


COMMANDS: tuple[click.Command, ...] = (move,)
