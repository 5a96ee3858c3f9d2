"""``rivergis encroachment ledger | open | duplicates``: the ledger, cases reported by hand, and what may be one and the same."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rivergis.cli import common
from rivergis.cli.encroachment_life import DATUMS
from rivergis.cli.river_chainage import position

if TYPE_CHECKING:
    from rivergis.db.connect import Database
    from rivergis.reports.case_ledger import Ledger
    from rivergis.rules import RuleView

DAY = common.CivilDay()
AS_OF = click.option("--as-of", type=DAY, default=None, help="As it was known at the end of a civil day; default: now.")


@click.group("ledger")
def ledger() -> None:
    """The ledger (问题台账): every case with its number, state, deadline, units and history."""


def wanted_options(command: Any) -> Any:
    """Which cases are asked for."""
    for option in (
        click.option("--state", "states", multiple=True, help="State: found, problem, assigned, rectified ...; more than once = any of them."),
        click.option("--overdue", is_flag=True, help="Only what is overdue."),
        click.option("--due-in", "due_within_days", type=click.IntRange(min=0), default=None, metavar="DAYS", help="Only what is due within so many days."),
        click.option("--district", metavar="ADCODE", default=None, help="County, township or village, or the beginning of its code."),
        click.option("--class", "class_code", default=None, help="Class of the taxonomy, or a group of them such as dump."),
        click.option("--severity", default=None, help="一般, 较严重 or 重大."),
        click.option("--unit", default=None, help="Unit that the case is handed to."),
        click.option("--stock/--increment", "stock", default=None, help="Only stock (存量), or only increment (增量)."),
        click.option("--numbered", is_flag=True, help="Only what people took up: with a running number."),
        click.option("--rebound", is_flag=True, help="Only what a night saw again after it was closed."),
        click.option("--awaits-above", is_flag=True, help="Only what is closed in the county and awaits the higher level."),
        click.option("--to-escalate", "escalation", is_flag=True, help="Only where a stage (卡 单 函 令) is due that was not issued."),
        AS_OF,
    ):  # fmt: skip
        command = option(command)
    return command


def _asked(db: Database, said: dict[str, Any]) -> Ledger:
    """The ledger as the options of ``wanted_options`` ask for it."""
    from rivergis import lifecycle
    from rivergis.db.connect import now_of
    from rivergis.encroachment import case_store, list_store, look_back_workflow
    from rivergis.errors import UsageError
    from rivergis.reports.case_ledger import Ledger

    as_of = said.pop("as_of")
    known_states = lifecycle.load()["finding"].states
    strange = [s for s in said["states"] if s not in known_states]
    if strange:
        raise UsageError(f"There is no state {strange[0]!r}; the states are {', '.join(known_states)}.")
    wanted = case_store.Wanted(**{**said, "numbered": True if said["numbered"] else None})
    limits = [f"{k}={v}" for k, v in said.items() if v not in (None, False, ()) and k != "states"]
    asked = {"asked_states": ", ".join(said["states"])} if said["states"] else {}
    with db.read() as conn:
        now = now_of(conn)
        on = as_of.date() if as_of else now.astimezone(common.SHANGHAI).date()
        known = look_back_workflow.end_of(on, now) if as_of else now
        frame = case_store.ledger(conn, on, known, wanted)
        signed = list_store.signed_baseline(conn, known)
    return Ledger(frame, on, known, signed, asked | ({"asked_limits": "; ".join(limits)} if limits else {}))


@ledger.command("list")
@wanted_options
@common.actor_option
@common.json_option
def list_(actor: str | None, as_json: bool, **said: Any) -> None:
    """Cases of the ledger, and how many stand in which state, stock and increment apart. Takes the capability view.

    \b
    Example:
      rivergis encroachment ledger list --state assigned --due-in 7
      rivergis encroachment ledger list --overdue --district 500199
    """
    from rivergis.reports import case_ledger, case_rows

    db = common.database()
    common.acting(db, actor, "view")
    asked = _asked(db, said)
    if as_json:
        common.emit(case_ledger.machine(asked).drop(columns="geom").to_dict("records"), True)
        return
    shown = [
        [
            case_rows.number(c), case_rows.state_name(c["state"]), case_rows.class_name(c["class_code"]), case_rows.place(c),
            case_rows.text(c["deadline"]), _late(c), case_rows.units(c, "lead", names=False), case_rows.stock_name(bool(c["stock"]), asked.signed),
        ]
        for c in asked.cases.to_dict("records")
    ]  # fmt: skip
    common.head(
        [
            "编号 number",
            "状态 state",
            "类别 class",
            "位置 place",
            "期限 deadline",
            "超期 days",
            "牵头 lead",
            "存量/增量",
        ],
        shown,
    )
    common.table(
        ["状态 state", "存量/增量 stock or increment", "件 cases", "超期 overdue"],
        asked.summary(),
        f"截至 as of {asked.on}",
    )


def _late(case: dict[str, Any]) -> str | None:
    from rivergis import words

    if not case["overdue_days"] or case["overdue_days"] != case["overdue_days"]:
        return None
    due = case["escalation_due"]
    return f"{int(case['overdue_days'])}" + (f" → {words.say('case_stage.' + due)}" if due else "")


@ledger.command("export")
@click.argument("out", type=click.Path(path_type=Path))
@wanted_options
@common.actor_option
def export(out: Path, actor: str | None, **said: Any) -> None:
    """The ledger as a file: .xlsx and .csv as people read it, .geojson, .gpkg and .json for programs. Takes export; in the audit.

    \b
    Example:
      rivergis encroachment ledger export 问题台账.xlsx --as demo-inspector
      rivergis encroachment ledger export overdue.geojson --overdue --as demo-inspector
    """
    from rivergis.db import system
    from rivergis.reports import case_ledger

    case_ledger.check(out)
    db = common.database()
    who = common.acting(db, actor, "export")
    asked = _asked(db, said)
    case_ledger.write(asked, out)
    with db.write(who) as conn:
        system.audit(conn, who, "export", f"ledger:{out.name}", {"cases": len(asked.cases), **dict(asked.asked)})
    common.say(f"{len(asked.cases)} → {out}")


@ledger.command("show")
@click.argument("case")
@AS_OF
@common.actor_option
@common.json_option
def show(case: str, as_of: datetime | None, actor: str | None, as_json: bool) -> None:
    """One case as it stands: state, place, deadline, units, clock and the moves that are open now. Takes the capability view.

    \b
    Example:
      rivergis encroachment ledger show 500199-2026-0012
    """
    from rivergis import words
    from rivergis.reports import case_ledger

    told = _history(case, as_of, actor)
    if as_json:
        common.emit({"case": told["case"], "moves": told["moves"]}, True)
        return
    for name, value in case_ledger.told(told["case"], told["signed"]):
        common.say(f"{name}: {value}")
    common.say("现在可以做的 moves open now: " + "; ".join(f"{m} {words.say('move.' + m)}" for m in told["moves"]))


@ledger.command("history")
@click.argument("case")
@AS_OF
@common.actor_option
@common.json_option
def history(case: str, as_of: datetime | None, actor: str | None, as_json: bool) -> None:
    """Everything that happened to a case: reports, moves with who and why, evidence and what differs in it. Takes view.

    \b
    Example:
      rivergis encroachment ledger history 500199-2026-0012
    """
    from rivergis import words

    told = _history(case, as_of, actor)
    if as_json:
        common.emit(told, True)
        return
    head = told["case"]
    common.say(f"{head['number'] or head['id']}  {words.both('state.finding.' + head['state'])}")
    rows = [
        [
            e["seq"], common.beijing(e["recorded_at"]), words.say("move." + e["move"]), words.say("state.finding." + e["to_state"]), e["actor"],
            e["reason"], "; ".join(f"{k}={_brief(v)}" for k, v in e["detail"].items() if k not in ("evidence", "doubts")),
        ]
        for e in told["events"]
    ]  # fmt: skip
    common.table(["", "时间 at", "事项 move", "状态 state", "办理人 by", "理由 reason", "内容 what"], rows)
    if told["reports"]:
        said = [[r["found_on"], r["source"], r["number"], r["class_code"], _brief(r["said"])] for r in told["reports"]]
        common.table(["发现 found on", "来源 source", "编号 number", "类别 class", "原话 as said"], said)
    if told["evidence"]:
        kept = [
            [e["caption"], common.beijing(e["taken_at"]), e["lon"], e["lat"], "; ".join(d["said"] for d in e["doubts"])]
            for e in told["evidence"]
        ]
        common.table(["佐证 evidence", "拍摄 taken", "经度 lon", "纬度 lat", "疑点 doubts"], kept)


def _brief(value: Any) -> str:
    """A value of what a move says, on one line; people of units are not named."""
    if isinstance(value, list):
        return ", ".join(_brief(v) for v in value)
    if isinstance(value, dict):
        if "unit" in value:
            more = [str(value[k]) for k in ("measure", "deadline") if value.get(k)]
            return str(value["unit"]) + ("*" if value.get("lead") else "") + (f"({','.join(more)})" if more else "")
        return ", ".join(f"{k}: {v}" for k, v in value.items())
    return str(value)


def _history(case: str, as_of: datetime | None, actor: str | None) -> dict[str, Any]:
    from rivergis.db.connect import now_of
    from rivergis.encroachment import case_store, case_workflow, list_store, look_back_workflow

    db = common.database()
    common.acting(db, actor, "view")
    with db.read() as conn:
        now = now_of(conn)
        on = as_of.date() if as_of else now.astimezone(common.SHANGHAI).date()
        known = look_back_workflow.end_of(on, now) if as_of else now
        told = case_workflow.history(conn, case_store.find(conn, case), on, known)
        return told | {"signed": list_store.signed_baseline(conn, known)}


@click.command()
@click.argument("case", required=False)
@click.option("--every", is_flag=True, help="Also pairs that only nights told.")
@common.actor_option
@common.json_option
def duplicates(case: str | None, every: bool, actor: str | None, as_json: bool) -> None:
    """Open cases that may be one and the same, nearest first: the machine proposes, a person merges. Takes the capability view.

    Two cases of one class nearer than the rule ledger.duplicates.distance, of which people reported at least one.

    \b
    Example:
      rivergis encroachment duplicates
      rivergis encroachment move 500199-2026-0013 merge --into 500199-2026-0012 --reason 同一堆垃圾 --as demo-inspector
    """
    from rivergis.db.connect import now_of
    from rivergis.encroachment import case_store, case_workflow

    db = common.database()
    common.acting(db, actor, "view")
    with db.read() as conn:
        now = now_of(conn)
        on = now.astimezone(common.SHANGHAI).date()
        one = case_store.find(conn, case) if case else None
        pairs = case_workflow.duplicates(conn, rule_view(db), on, now, case_id=one, every=every)
    _pairs(pairs, as_json)


def _pairs(pairs: list[dict[str, Any]], as_json: bool) -> None:
    from rivergis import words

    if as_json:
        common.emit(pairs, True)
        return

    def name(p: dict[str, Any], side: str) -> str:
        sources = ",".join(p[f"{side}_sources"] or ())
        return f"{p[f'{side}_number'] or str(p[side])[:8]} {p[f'{side}_found_on']} {sources}"

    rows = [
        [name(p, "a"), name(p, "b"), p["a_class"] and words.say(f"class.{p['a_class']}"), f"{p['distance_m']:.0f}", p["overlap"] and f"{p['overlap']:.0%}"]
        for p in pairs
    ]  # fmt: skip
    common.head(
        ["先 elder", "后 later", "类别 class", "相距 m", "重叠 overlap"], rows, "疑似重复 may be one and the same"
    )


def rule_view(db: Database) -> RuleView:
    from rivergis import rules
    from rivergis.db.connect import now_of
    from rivergis.river import store as river_store

    today = datetime.now(common.SHANGHAI).date()
    with db.read() as conn:
        home = river_store.home(conn, today, now_of(conn)) or rules.NATIONAL
    return rules.load(common.settings().rules_dir).at(rules.path_of(home), today)


@click.command("open")
@click.option("--at", metavar="LON,LAT", callback=position, required=True, help="Where it is, in degrees.")
@click.option("--datum", type=click.Choice(DATUMS), default="wgs84", show_default=True, help="Datum of --at.")
@click.option(
    "--class", "word", required=True, help="Class: a code of the taxonomy, or the word of the office (乱堆, 网箱 ...)."
)
@click.option("--source", required=True, help="Where it comes from: 巡河, 暗访, 遥感, 12314, 举报, 回头看 ...")
@click.option("--found-on", type=DAY, default=None, help="Civil day it was found; default: today.")
@click.option("--number", default=None, help="Its number at the source.")
@click.option("--note", default=None, help="What was said.")
@click.option(
    "--same-as", metavar="CASE", default=None, help="It is a case that is there already: record the report with it."
)
@common.actor_option
@common.json_option
def open_(
    at: tuple[float, float], datum: str, word: str, source: str, found_on: datetime | None, number: str | None, note: str | None,
    same_as: str | None, actor: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Open a case that no night told: a call, an inspection in secret, what a patrol saw. Takes the capability inspect.

    The case gets its number at once; what lies near and may be the same is told. The same report again is the same case.

    \b
    Example:
      rivergis encroachment open --at 106.021,29.412 --class 乱堆 --source 12314 --number 2026-0417 --note 河边倾倒渣土 --as demo-inspector
    """
    import shapely

    from rivergis import crs
    from rivergis.db.connect import now_of
    from rivergis.encroachment import case_store, case_workflow

    db = common.database()
    who = common.acting(db, actor, "inspect")
    view = rule_view(db)
    code, kind = case_workflow.class_of_word(view, word)
    lon, lat = crs.to_wgs84([at[0]], [at[1]], "wgs84" if datum == "cgcs2000" else datum)
    place = shapely.Point(float(lon[0]), float(lat[0]))
    today = datetime.now(common.SHANGHAI).date()
    told: dict[str, Any] = {
        "found_on": found_on.date() if found_on else today,
        "source": source,
        "number": number,
        "said": {k: v for k, v in (("class", word), ("note", note), ("datum", datum)) if v},
    }
    with db.write(who) as conn:
        if same_as:
            case_id = case_store.find(conn, same_as)
            case_workflow.report_again(conn, case_id, place=place, **told)
        else:
            case_id = case_workflow.open_reported(conn, class_code=code, kind=kind, place=place, **told)
        given = case_store.give_number(conn, case_id)
    with db.read() as conn:
        near = case_workflow.duplicates(conn, view, today, now_of(conn), case_id=case_id)
    if as_json:
        common.emit({"case": str(case_id), "number": given, "class_code": code, "kind": kind, "may_be": near}, True)
        return
    common.say(f"{given}  {code}  线索 case: {case_id}")
    if near:
        _pairs(near, False)


COMMANDS: tuple[click.Command, ...] = (ledger, open_, duplicates)
