"""Lists of higher levels (上级清单): taken in with their numbers, each number a case, and followed by people."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis import words
from rivergis.encroachment import (
    baseline,
    baseline_files,
    case_needs,
    case_store,
    case_workflow,
    life_workflow,
    superior,
    superior_store,
    taking_workflow,
)
from rivergis.encroachment.baseline_files import Row, Table
from rivergis.encroachment.superior import Meant, Profile
from rivergis.encroachment.taking_workflow import Desk, Item, Taking
from rivergis.errors import InputError, NotFound, NotPermitted, UsageError
from rivergis.intake import sources

# what a person finds out a row by, where it has no number
_NEEDED = {"problems": ("number", "patch_no", "description"), "tasks": ("measure", "key_task")}

_CLOSED = ("closed", "closed_above")


@dataclass(frozen=True)
class ListOf:
    """A list about to be taken in: its name and what is known of its issue."""

    name: str
    kind: str
    profile: Profile
    issued_by: str | None = None
    issued_on: date | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class TakenIn:
    """What became of a list: every row once."""

    name: str
    kind: str
    version: int
    known: bool
    rows: int
    items: list[Item] = field(default_factory=list)
    doubts: list[dict[str, Any]] = field(default_factory=list)
    """What could not be read: number, field, said, why."""
    awaiting: int = 0
    """Rows that say closed: taken over as rectified, to be closed by another person."""

    @property
    def counts(self) -> dict[str, int]:
        """Rows by how they matched."""
        return dict(sorted(Counter(i.how for i in self.items).items()))


# ---- in ---------------------------------------------------------------------------------------------------------------


def read(path: Path, about: ListOf, **how: Any) -> Table:
    """The rows of a list. Raises as ``baseline_files.read``."""
    return baseline_files.read(path, about.profile.columns[about.kind], _NEEDED[about.kind], **how)


def take_in(desk: Desk, table: Table, about: ListOf) -> TakenIn:
    """Take a list in as one transaction: record its rows, match its problems to cases, open cases for those that match none.

    The same list again changes nothing. A number that means a case already keeps it; what may mean several, or has no usable
    place, is listed for a person.
    """
    with desk.db.write(desk.actor) as conn:
        return taken_in(conn, desk, table, about)


def taken_in(conn: Connection, desk: Desk, table: Table, about: ListOf) -> TakenIn:
    """``take_in`` within a transaction of the caller."""
    taking = Taking(conn, desk, table, baseline_files.keep(table, desk.store_dir))
    numbers = superior.keys([r.said.get("number") for r in table.rows])
    meant = [superior.meaning(r.said, about.profile, desk.view, about.issued_on) for r in table.rows]
    version, known = _record(taking, about, numbers, meant)
    done = TakenIn(about.name, about.kind, version, known, len(table.rows))
    done.doubts = [{"number": n, **asdict(d)} for n, m in zip(numbers, meant, strict=True) for d in _told(about, m)]
    if about.kind == "problems":
        said = {r.seq: (n, m) for r, n, m in zip(table.rows, numbers, meant, strict=True)}
        _match(taking, about, said, done)
    return done


def _told(about: ListOf, meant: Meant) -> list[superior.Doubt]:
    """Doubts of a row; a table of tasks has neither classes nor states of cases."""
    return [d for d in meant.doubts if about.kind == "problems" or d.field == "deadline"]


def _record(taking: Taking, about: ListOf, numbers: Sequence[str], meant: Sequence[Meant]) -> tuple[int, bool]:
    """Record a delivery unless it is the last one again; its version, and whether it was known."""
    conn, table = taking.conn, taking.table
    superior_store.lock(conn)
    last = superior_store.latest(conn, about.name)
    if last is not None and last["kind"] != about.kind:
        raise UsageError(f"{about.name!r} is a list of {last['kind']}: give this one another name with --list.")
    options = {**about.options, "profile": about.profile.name, "content": table.content}
    if last is not None and (last["options"], last["issued_on"]) == (options, about.issued_on):
        return int(last["version"]), True
    version = last["version"] + 1 if last else 1
    identity = superior_store.list_id(about.name, version)
    row = {
        "id": identity, "kind": about.kind, "name": about.name, "version": version,
        "issued_by": about.issued_by, "issued_on": about.issued_on, "file_name": table.path.name, "file_sha256": table.sha256,
        "file_path": taking.kept, "source_layer": table.layer, "options": options, "columns": table.columns,
        "headings": list(table.headings), "encoding": table.encoding,
    }  # fmt: skip
    superior_store.add_list(conn, row)
    rows = zip(table.rows, numbers, meant, strict=True)
    superior_store.add_items(conn, identity, [_item_row(about, r, n, m) for r, n, m in rows])
    return version, False


def _item_row(about: ListOf, row: Row, number: str, meant: Meant) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "source_feature": row.source_feature,
        "number": number,
        "said": row.said,
        "due_on": meant.deadline.due_on,
        "standing": meant.deadline.standing,
        "doubts": [asdict(d) for d in _told(about, meant)],
        "place": row.place,
    }


def _match(taking: Taking, about: ListOf, said: Mapping[int, tuple[str, Meant]], done: TakenIn) -> None:
    rows = taking.table.rows
    held = superior_store.links(taking.conn, about.name)
    knowns = superior_store.knowns(taking.conn, taking.desk.night)
    open_rows = [r for r in rows if said[r.seq][0] not in held]
    # a case that a row of this list means already is no other row's
    mine = {str(x["finding_id"]) for x in held.values() if x["finding_id"]}
    free = knowns[~knowns["id"].astype(str).isin(mine)]
    numbered = {r.seq: (_numbers(r, said[r.seq][0]), said[r.seq][1].group) for r in open_rows}
    matched = taking_workflow.compare(taking.desk, open_rows, numbered, free)
    for row in rows:
        number, meant = said[row.seq]
        link = held.get(number)
        if link is not None:
            item = _item(taking.table, row, number, link["how"], link["finding_id"], link["figures"])
        else:
            item = _decide(taking, about, row, number, meant, matched)
        done.items.append(item)
        done.awaiting += _carry(taking, row, meant, item)


def _numbers(row: Row, number: str) -> frozenset[str]:
    own = [f"{baseline.LIST}{baseline.plain_number(number)}"] if row.said.get("number") else []
    patch = [f"patch:{baseline.plain_number(row.said['patch_no'])}"] if row.said.get("patch_no") else []
    return frozenset([*own, *patch])


def _item(table: Table, row: Row, number: str, how: str, finding: uuid.UUID | None, figures: Mapping[str, Any]) -> Item:
    said = dict(row.said)
    return Item(
        "ledger", table.sha256, row.source_feature, number, how, "listed", finding, dict(figures), said, row.place
    )


def _decide(taking: Taking, about: ListOf, row: Row, number: str, meant: Meant, matched: baseline.Matched) -> Item:
    """A row that means no case yet: linked to the one it matches, opened as one of its own, or left to a person."""
    conn, desk, table = taking.conn, taking.desk, taking.table
    figures = taking_workflow.figures_of(matched, row.seq)
    if row.seq in matched.open:
        return _item(table, row, number, "ambiguous", None, figures)
    if row.seq not in matched.pairs and row.place is None:
        return _item(table, row, number, "no_place", None, {"why": row.why})
    if row.seq in matched.pairs:
        finding, how = uuid.UUID(str(matched.pairs[row.seq].known)), str(matched.pairs[row.seq].tier)
        case_workflow.report_again(
            conn,
            finding,
            found_on=_found_on(meant, about.issued_on, desk),
            source=_source(row),
            said=row.said,
            number=number,
            place=row.place,
        )
    else:
        finding, how = open_case(conn, desk, row, meant, number, table.path.name, about.issued_on), "reported"
    superior_store.add_link(conn, about.name, number, finding, how, figures)
    return _item(table, row, number, how, finding, figures)


def _source(row: Row) -> str:
    """Where a problem comes from, in the words of its row."""
    return row.said.get("source") or words.say("superior.source")


def open_case(
    conn: Connection, desk: Desk, row: Row, meant: Meant, number: str, file: str, issued_on: date | None = None
) -> uuid.UUID:
    """Open a case for a row that no lead stands for; found on the day it says, else on that of its list or of the comparison."""
    return case_workflow.open_reported(
        conn,
        class_code=meant.class_code or _other(meant.group, desk) or "other.unknown",
        kind=superior.kind_of(meant.group, desk.view),
        place=row.place,
        found_on=_found_on(meant, issued_on, desk),
        source=_source(row),
        said={**row.said, "file": file, "row": row.source_feature},
        number=number,
        places=desk.places,
    )


def _found_on(meant: Meant, issued_on: date | None, desk: Desk) -> date:
    return meant.found_on or min(issued_on or desk.night, desk.view.on)


def _other(group: str | None, desk: Desk) -> str | None:
    """The class of a group of which no more is known."""
    codes = (c for c in desk.view.book.taxonomy["classes"] if c.endswith(".other"))
    return next((c for c in codes if group and desk.view.taxon(c).group_zh == group), None)


def _carry(taking: Taking, row: Row, meant: Meant, item: Item) -> int:
    """Bring the case of a row to the state it says; 1 where its closing awaits another person."""
    if item.finding_id is None:
        return 0
    if meant.state is None:
        item.figures["left"] = "state_unknown"
        return 0
    taken = taking.bring(item, row, meant.state, detail_of(row, meant))
    return int(taken and meant.state in _CLOSED and taking.state(item.finding_id) not in _CLOSED)


def detail_of(row: Row, meant: Meant) -> dict[str, Any]:
    """What a row says of deadline, measure, units and days, as an event keeps it."""
    units: dict[str, dict[str, Any]] = {}
    for u in meant.units:
        units.setdefault(u["unit"], {**u, "lead": not units})
    return {
        "deadline": meant.deadline.due_on.isoformat() if meant.deadline.due_on else None,
        "standing": meant.deadline.standing or None,
        "measure": row.said.get("measure"),
        "units": list(units.values()),
        "class_code": meant.class_code,
        "severity": row.said.get("severity") if row.said.get("severity") in case_needs.SEVERITIES else None,
        "rectified_on": meant.rectified_on.isoformat() if meant.rectified_on else None,
        "closed_on": meant.closed_on.isoformat() if meant.closed_on else None,
    }


# ---- people -----------------------------------------------------------------------------------------------------------


def link(
    desk: Desk, name: str, number: str, case: str | None, profile: Profile, *, new: bool, reason: str
) -> uuid.UUID | None:
    """A person says which case a number means: one there is (``case``: start of its id), a new one, or none."""
    with desk.db.read() as conn:
        head = superior_store.named(conn, name, "problems")
        found = [i for i in superior_store.items(conn, head["id"]) if i["number"] == number]
        if not found:
            raise NotFound(f"The list {name!r} has no number {number!r}.")
        place = superior_store.place_of(conn, head["id"], found[0]["seq"])
    row = Row(found[0]["seq"], found[0]["source_feature"], found[0]["said"], place)
    meant = superior.meaning(row.said, profile, desk.view, head["issued_on"])
    if new and place is None:
        raise InputError(f"{name} {number} has no place: open the case by hand where it lies, and link it with --case.")
    with desk.db.write(desk.actor) as conn:
        finding = case_store.find(conn, case) if case else None
        if new:
            finding = open_case(conn, desk, row, meant, number, head["file_name"], head["issued_on"])
        superior_store.add_link(conn, name, number, finding, "person", reason=reason)
        table = Table(Path(head["file_name"]), head["source_layer"], head["file_sha256"], None, (), {})
        taking = Taking(conn, desk, table, head["file_path"])
        _carry(taking, row, meant, _item(table, row, number, "person", finding, {}))
    return finding


@dataclass
class Closed:
    """Cases that were taken over as rectified and closed now by another person; what was refused, and why."""

    closed: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)


def close_taken_over(desk: Desk, names: Sequence[str]) -> Closed:
    """Close, as another person than who took them over, the cases that lists say are closed (据台账销号)."""
    with desk.db.read() as conn:
        waiting = superior_store.awaiting(conn, names)
    done = Closed()
    for w in waiting:
        try:
            with desk.db.write(desk.actor) as conn:
                life_workflow.step(
                    conn,
                    w["finding_id"],
                    f"take_over_{w['then']}",
                    desk.actor,
                    reason=w["reason"],
                    attachment=desk.store_dir / w["path"],
                    store_dir=desk.store_dir,
                    detail={k: w["detail"][k] for k in ("source", "closed_on") if k in w["detail"]},
                )
            done.closed += 1
        except (UsageError, NotPermitted, InputError) as error:
            done.refused.append({"finding": str(w["finding_id"]), "why": error.sentence})
    return done


def step(desk: Desk, name: str, number: str, state: str, reason: str, attachment: Path | None) -> None:
    """Say of a task (整改任务) that it is done, accepted by another person, or open again."""
    sha256 = None
    if attachment is not None:
        sha256 = sources.sha256(attachment)
        sources.keep(attachment, desk.store_dir / "evidence" / f"{sha256}{attachment.suffix.lower()}")
    with desk.db.write(desk.actor) as conn:
        head = superior_store.named(conn, name, "tasks")
        if not any(i["number"] == number for i in superior_store.items(conn, head["id"])):
            raise NotFound(f"The list {name!r} has no task {number!r}.")
        superior_store.add_step(conn, name, number, state, reason, sha256)
