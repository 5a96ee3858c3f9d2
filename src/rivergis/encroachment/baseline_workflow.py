"""The baseline (基线) before the first alarm: what was decided and known when the nights began, made by one person, signed by another.

Law: every row of the files and every lead of the night is an item of it. The same files against the same leads make no second one.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from rivergis.db.connect import Database
from rivergis.encroachment import (
    baseline,
    baseline_files,
    baseline_store,
    patches,
    superior,
    superior_store,
    superior_workflow,
    taking_workflow,
)
from rivergis.encroachment.baseline_files import Row, Table
from rivergis.encroachment.superior import Meant, Profile
from rivergis.encroachment.superior_workflow import Closed, ListOf, TakenIn
from rivergis.encroachment.taking_workflow import Desk, Item, Taking
from rivergis.errors import UsageError


@dataclass(frozen=True)
class Sources:
    """The files of a baseline, read: patch decisions, problem ledgers with the list each is, water works."""

    decisions: Sequence[Table] = ()
    ledgers: Sequence[tuple[Table, ListOf]] = ()
    works: Sequence[Table] = ()
    works_approved: bool = False
    """The person who makes it says that the works of the list are lawful."""

    def described(self) -> list[dict[str, Any]]:
        """Role, file, hashes and rows of each; by what they say one baseline differs from another."""
        ledgers = [(t, {"list": a.name}) for t, a in self.ledgers]
        roles: list[tuple[str, Iterable[tuple[Table, dict[str, Any]]]]] = [
            ("decisions", [(t, {}) for t in self.decisions]),
            ("ledger", ledgers),
            ("works", [(t, {"approved": self.works_approved}) for t in self.works]),
        ]
        return [
            {"role": role, "file": t.path.name, "sha256": t.sha256, "content": t.content, "rows": len(t.rows), **more}
            for role, tables in roles
            for t, more in tables
        ]


@dataclass
class Made:
    """A baseline as it was made: its number, whether it was there already, and what became of every row."""

    number: int
    night: date
    known: bool
    counts: dict[str, Any]
    lists: list[TakenIn] = field(default_factory=list)


def make(desk: Desk, sources: Sources) -> Made:
    """Make the baseline of a night in the name of the acting person: match, take over, open what is missing, count the rest as 存量待核.

    Ledgers first, then decisions, then works. The same again changes nothing; a new one supersedes the last and is signed anew.
    """
    if not (sources.decisions or sources.ledgers or sources.works):
        raise UsageError("A baseline is made of something: give --decisions, --ledger or --works.")
    with desk.db.lock("baseline"), desk.db.write(desk.actor) as conn:
        baseline_store.lock(conn)
        last = next(iter(baseline_store.baselines(conn)), None)
        if last is not None and last["content_hash"] == _content(conn, desk, sources):
            return Made(last["number"], last["night"], True, last["counts"])
        lists = [superior_workflow.taken_in(conn, desk, table, about) for table, about in sources.ledgers]
        items = [i for taken in lists for i in taken.items]
        for table in sources.decisions:
            items += _decisions(conn, desk, table)
        for table in sources.works:
            items += _works(conn, desk, table, sources.works_approved)
        items += _stock(conn, desk, items)
        counts, content = _counts(items), _content(conn, desk, sources)  # with the cases that were opened
        number = baseline_store.add(conn, desk.night, sources.described(), counts, content, [vars(i) for i in items])
    return Made(number, desk.night, False, counts, lists)


def _content(conn: Connection, desk: Desk, sources: Sources) -> str:
    """Hash of what a baseline rests on: files, night, leads there are, limits of the rules, and what people linked by hand."""
    ids = [str(i) for i in superior_store.knowns(conn, desk.night)["id"]]
    linked = superior_store.links_by_people(conn)
    said = [{k: v for k, v in s.items() if k not in ("file", "sha256")} for s in sources.described()]
    body = [str(desk.night), said, sorted(ids), linked, vars(taking_workflow.limits(desk.view))]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _counts(items: Sequence[Item]) -> dict[str, Any]:
    """Rows by source and how they matched; leads by how they start."""
    by_source: dict[str, Counter[str]] = {}
    for i in items:
        by_source.setdefault(i.source, Counter())[i.how] += 1
    starts = Counter(i.start for i in items if i.source == "stock")
    return {"rows": {s: dict(sorted(c.items())) for s, c in by_source.items()}, "leads": dict(sorted(starts.items()))}


# ---- decisions on patches ------------------------------------------------------------------------------------------------


def _decisions(conn: Connection, desk: Desk, table: Table) -> list[Item]:
    """The last table of patch decisions: outcomes ① to ④ taken over by number, else by place."""
    taking = Taking(conn, desk, table, baseline_files.keep(table, desk.store_dir))
    classes = {r.seq: _class(r, desk) for r in table.rows}
    about = {r.seq: (_patch_number(r), classes[r.seq][1]) for r in table.rows}
    knowns = superior_store.knowns(conn, desk.night)
    matched = taking_workflow.compare(desk, table.rows, about, knowns, "remote_sensing")
    return [_decision(taking, row, classes[row.seq], matched) for row in table.rows]


def _class(row: Row, desk: Desk) -> tuple[str | None, str | None]:
    """Class and group of a patch: as a person corrected it, else as interpreted."""
    said = {"class_detail": row.said.get("class_corrected", ""), "class_word": row.said.get("class_code", "")}
    return superior.class_of(said, desk.view)


def _patch_number(row: Row) -> frozenset[str]:
    number = baseline.plain_number(row.said.get("patch_no"))
    return frozenset([f"patch:{number}"] if number else [])


def _decision(taking: Taking, row: Row, class_: tuple[str | None, str | None], matched: baseline.Matched) -> Item:
    figures, number = taking_workflow.figures_of(matched, row.seq), row.said.get("patch_no")
    item = Item(
        "decisions",
        taking.table.sha256,
        row.source_feature,
        number,
        "",
        "listed",
        None,
        figures,
        dict(row.said),
        row.place,
    )
    try:
        outcome = patches.outcome(row.said.get("outcome"))
    except ValueError:
        item.how = "unreadable"
        return item
    if row.seq in matched.pairs:
        pair = matched.pairs[row.seq]
        item.how, item.finding_id = _how(pair.tier, "patch_no"), uuid.UUID(str(pair.known))
    elif row.seq in matched.open:
        item.how = "ambiguous"
    elif row.place is None:
        item.how, item.figures = "no_place", {"why": row.why}
    elif outcome in (3, 4):
        item.how, item.finding_id = "reported", _opened(taking, row, class_)
    else:
        item.how, item.start = "no_match", "none"
    if item.finding_id is not None and outcome:
        detail = {"class_code": class_[0], "number": number} | {
            k: row.said.get(k) for k in ("checked_by", "checked_on")
        }
        taking.bring(item, row, superior.OUTCOME_STATES[outcome], detail)
    elif item.finding_id is not None:
        item.start = taking.start(item.finding_id)
    return item


def _how(tier: str, number: str) -> str:
    return number if tier == "number" else tier


def _opened(taking: Taking, row: Row, class_: tuple[str | None, str | None]) -> uuid.UUID:
    """A case for a patch that people found a problem and no night tells: nothing is lost."""
    meant = Meant(None, superior.Deadline(), [], class_[0], class_[1], None, None, None)
    number, file = row.said.get("patch_no") or "", taking.table.path.name
    return superior_workflow.open_case(taking.conn, taking.desk, row, meant, number, file)


# ---- water works ---------------------------------------------------------------------------------------------------------


def _works(conn: Connection, desk: Desk, table: Table, approved: bool) -> list[Item]:
    """Known water works: a lead that is one is no news; it is taken as no problem where its approval is named or said."""
    taking = Taking(conn, desk, table, baseline_files.keep(table, desk.store_dir))
    about = {r.seq: (frozenset[str](), superior.class_of(r.said, desk.view)[1] or "乱建") for r in table.rows}
    matched = taking_workflow.compare(desk, table.rows, about, superior_store.knowns(conn, desk.night))
    return [i for row in table.rows for i in _work(taking, row, matched, approved)]


def _work(taking: Taking, row: Row, matched: baseline.Matched, approved: bool) -> list[Item]:
    """What a work is: the one lead that it means, or every lead that lies in its ground (none of these is decided)."""
    pairs, place = matched.open.get(row.seq, []), row.place
    held = [p for p in pairs if p.tier == "overlap" and p.strong]
    if held and len(held) == len(pairs):
        return [_work_item(taking, row, "overlap", "known_work", p) for p in held]
    if pairs:
        item = _work_item(taking, row, "ambiguous", "listed", None)
        item.figures = taking_workflow.figures_of(matched, row.seq)
        return [item]
    if row.seq not in matched.pairs:
        return [_work_item(taking, row, *(("no_match", "none") if place is not None else ("no_place", "listed")), None)]
    item = _work_item(taking, row, str(matched.pairs[row.seq].tier), "known_work", matched.pairs[row.seq])
    if item.start == "known_work" and (approved or row.said.get("approval")):
        taking.bring(item, row, "not_a_problem", {"number": item.number})
    return [item]


def _work_item(taking: Taking, row: Row, how: str, start: str, pair: baseline.Pair | None) -> Item:
    """A row of works; a lead that is moved already starts as it stands."""
    finding = None if pair is None else uuid.UUID(str(pair.known))
    if finding is not None and taking.state(finding) != "found":
        start = taking.start(finding)
    number, figures = row.said.get("name") or row.said.get("number"), pair.figures if pair else {}
    return Item(
        "works",
        taking.table.sha256,
        row.source_feature,
        number,
        how,
        start,
        finding,
        dict(figures),
        dict(row.said),
        row.place,
    )


# ---- the rest ------------------------------------------------------------------------------------------------------------


def _stock(conn: Connection, desk: Desk, items: Sequence[Item]) -> list[Item]:
    """Every lead and case of the night, and how it starts: decided, in hand, a known work, or 存量待核."""
    told = {str(i.finding_id) for i in items if i.finding_id is not None}
    works = {str(i.finding_id) for i in items if i.start == "known_work"}
    out = []
    for k in superior_store.knowns(conn, desk.night).to_dict("records"):
        key = str(k["id"])
        start = "known_work" if key in works else taking_workflow.START.get(k["state"], "in_hand")
        out.append(Item("stock", None, None, None, "matched" if key in told else "rest", start, k["id"]))
    return out


# ---- people --------------------------------------------------------------------------------------------------------------


def sign(desk: Desk, reason: str, number: int | None = None) -> tuple[int, Closed]:
    """Sign the last baseline as another person than who made it, and close what its ledgers say is closed.

    From then on leads first told after its night are increment (增量). ``NotPermitted`` for the maker, for who may not accept work
    on leads, and for a baseline that a later one supersedes.
    """
    with desk.db.write(desk.actor) as conn:
        head = baseline_store.baseline(conn, number)
        if head["signed_by"] is not None:
            raise UsageError(f"Baseline {head['number']} was signed by {head['signed_by']} already.")
        baseline_store.sign(conn, head["id"], reason)
    lists = sorted({s["list"] for s in head["sources"] if s["role"] == "ledger"})
    return int(head["number"]), superior_workflow.close_taken_over(desk, lists)


@dataclass(frozen=True)
class Shown:
    """A baseline as it stands, with every item."""

    number: int
    night: date
    made_by: str
    made_at: Any
    signed_by: str | None
    signed_at: Any
    signed_reason: str | None
    sources: list[dict[str, Any]]
    counts: dict[str, Any]
    items: list[dict[str, Any]]


def shown(db: Database, number: int | None = None) -> Shown:
    """A baseline, the last unless told otherwise, with all its items."""
    with db.read() as conn:
        head: Mapping[str, Any] = baseline_store.baseline(conn, number)
        items = baseline_store.items(conn, head["id"])
    keys = ("number", "night", "signed_by", "signed_at", "signed_reason", "sources", "counts")
    return Shown(made_by=head["actor"], made_at=head["recorded_at"], items=items, **{k: head[k] for k in keys})


def read_decisions(path: Path, names: Mapping[str, str], profile: Profile, **how: Any) -> Table:
    """The last table of patch decisions. ``names``: field -> spellings joined by ``|``, as a profile of patches has them."""
    spelled = {f: tuple(n.split("|")) for f, n in names.items()}
    spelled["accuracy_m"] = profile.columns["problems"]["accuracy_m"]
    return baseline_files.read(path, spelled, ("outcome",), **how)


def read_works(path: Path, profile: Profile, **how: Any) -> Table:
    """A list of known water works, points or areas."""
    return baseline_files.read(path, profile.columns["works"], ("name", "number", "class_word"), **how)
