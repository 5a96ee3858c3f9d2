"""What rows of tables mean, and what is written about it: compared with the leads of a night, taken over as events of their cases.

Every event is written in the name of the person who takes the table over, with the table attached and the row in its detail. A
closing is a second person's: the row is taken over as rectified and says what comes then.
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db.connect import Database
from rivergis.encroachment import baseline, baseline_files, life_workflow, superior, superior_store
from rivergis.encroachment.baseline import Limits, Matched, Thing
from rivergis.encroachment.baseline_files import Row, Table
from rivergis.errors import InputError, NotPermitted, UsageError
from rivergis.river.register import Register
from rivergis.rules import RuleView

# what a lead starts as when its case is in a state
START = {
    "found": "to_verify",
    "problem": "decided",
    "not_a_problem": "decided",
    "historic_harmless": "decided",
    "historic_listed": "decided",
    "assigned": "in_hand",
    "rectified": "in_hand",
    "accepted": "in_hand",
    "closed": "decided",
    "closed_above": "decided",
}
# states that the table's own word does not reach: somebody else accepts and closes
_LATER = ("accepted", "closed", "closed_above")


@dataclass(frozen=True)
class Desk:
    """Who takes tables over, by which rules and against which night."""

    db: Database
    actor: str
    store_dir: Path
    view: RuleView
    night: date
    places: Register | None = None
    """Tells where cases that are opened lie; made once (``case_workflow.register``)."""


@dataclass
class Item:
    """One row of a table, and what became of it. ``place`` in EPSG:4490."""

    source: str
    file_sha256: str | None
    source_feature: str | None
    number: str | None
    how: str
    start: str
    finding_id: uuid.UUID | None = None
    figures: dict[str, Any] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)
    place: Any = None


def limits(view: RuleView) -> Limits:
    """What counts as the same, from the rules."""
    names = ("overlap_share", "sigmas", "clear", "number_within")
    return Limits(*(view.number(f"encroach.baseline.{n}") for n in names))


def error_m(row: Row, view: RuleView, source_kind: str | None = None) -> float:
    """One-sigma error of the place of a row: as it says, else as of its kind of source; and what its last digit is worth."""
    try:
        own = abs(float(row.said["accuracy_m"]))
    except (KeyError, ValueError):
        own = view.number("encroach.source_accuracy", **({"source_kind": source_kind} if source_kind else {}))
    return float((own**2 + (row.written_to_m / 3**0.5) ** 2) ** 0.5)


def compare(
    desk: Desk,
    rows: Sequence[Row],
    about: Mapping[int, tuple[frozenset[str], str | None]],
    knowns: gpd.GeoDataFrame,
    source_kind: str | None = None,
) -> Matched:
    """Which lead each row means, in metres of one zone. ``about``: seq of a row -> its numbers and its group; ``source_kind``: of
    what kind of source the places of the rows are."""
    placed = [r.place.representative_point() for r in rows if r.place is not None]
    if not placed and not len(knowns):
        return Matched(alone=[r.seq for r in rows])
    points = gpd.GeoSeries([*placed, *knowns.geometry.representative_point()], crs=crs.STORAGE)
    zone = crs.metric_crs(*crs.centre(points))
    own = gpd.GeoSeries([r.place for r in rows], crs=crs.STORAGE).to_crs(zone)
    things = [
        Thing(r.seq, about[r.seq][0], shape, error_m(r, desk.view, source_kind), about[r.seq][1])
        for r, shape in zip(rows, own, strict=True)
    ]
    return baseline.match(things, _known_things(knowns, zone, desk.view), limits(desk.view))


def _known_things(knowns: gpd.GeoDataFrame, zone: Any, view: RuleView) -> list[Thing]:
    shapes = knowns.geometry.to_crs(zone)
    out = []
    for k, shape in zip(knowns.to_dict("records"), shapes, strict=True):
        told = [baseline.plain_number(n) for n in k["report_numbers"]]
        numbers = {f"patch:{n}" for n in (*map(baseline.plain_number, k["patch_numbers"]), *told)}
        numbers |= {f"{baseline.LIST}{n}" for n in (*map(baseline.plain_number, k["superior_numbers"]), *told)}
        said = k["accuracy_m"]
        kind = {"source_kind": k["source_kind"]} if k["source_kind"] else {}
        own = view.number("encroach.source_accuracy", **kind) if pd.isna(said) else float(said)
        out.append(Thing(str(k["id"]), frozenset(numbers), shape, own, group_of(k["class_code"], view)))
    return out


def group_of(class_code: str | None, view: RuleView) -> str | None:
    """Group of a class (乱占, 乱建 ...); None where the class is open."""
    known = class_code is not None and class_code in view.book.taxonomy["classes"]
    return view.taxon(str(class_code)).group_zh if known and class_code != "other.unknown" else None


def figures_of(done: Matched, key: Hashable) -> dict[str, Any]:
    """What a match rests on, or all that may be meant."""
    if key in done.pairs:
        return dict(done.pairs[key].figures)
    if key in done.open:
        return {"may_be": [{"finding": str(p.known), "by": p.tier, **p.figures} for p in done.open[key][:20]]}
    return {}


@dataclass
class Taking:
    """A table that is being taken over, in one transaction of the acting person."""

    conn: Connection
    desk: Desk
    table: Table
    kept: str
    """Place of its file in the store."""
    _states: dict[str, str] = field(default_factory=dict)

    def state(self, finding: uuid.UUID) -> str:
        """State of a case now."""
        if str(finding) not in self._states:
            self._states |= superior_store.states(self.conn, [finding])
        return self._states[str(finding)]

    def start(self, finding: uuid.UUID) -> str:
        """How a lead starts with its case as it is now."""
        return START.get(self.state(finding), "in_hand")

    def bring(self, item: Item, row: Row, target: str, detail: Mapping[str, Any]) -> bool:
        """Bring the case of a row to the state it says, as far as one person may; False, and listed, where that cannot be."""
        assert item.finding_id is not None
        current = self.state(item.finding_id)
        reached = "rectified" if target in _LATER else target
        done = superior.step(current, target)
        if done == "contradicts":
            item.how, item.start = "contradicts", "listed"
            item.figures |= {"is": current, "says": target}
            return False
        if done == "take" and current != reached:
            said = {**detail, "then": target} if reached != target else dict(detail)
            try:
                self._step(item.finding_id, reached, row, said)
            except (UsageError, NotPermitted, InputError) as error:
                item.start = "listed"
                item.figures["left"] = error.sentence
                return False
            self._states[str(item.finding_id)] = reached
        item.start = self.start(item.finding_id)
        return True

    def _step(self, finding: uuid.UUID, reached: str, row: Row, detail: Mapping[str, Any]) -> None:
        table = self.table
        proof = baseline_files.proof(self.kept, self.desk.store_dir)
        path = proof.relative_to(self.desk.store_dir).as_posix()
        source = {"file": table.path.name, "sha256": table.sha256, "path": path, "layer": table.layer}
        said = {k: v for k, v in detail.items() if v not in (None, [], "")}
        life_workflow.step(
            self.conn,
            finding,
            f"take_over_{reached}",
            self.desk.actor,
            reason=_reason(table, row),
            attachment=proof,
            store_dir=self.desk.store_dir,
            detail={**said, "source": {**source, "row": row.source_feature}, "said": row.said},
        )


def _reason(table: Table, row: Row) -> str:
    """Where it stands, in the words of the row."""
    words = row.said.get("reason") or row.said.get("description") or row.said.get("note") or ""
    return f"{table.path.name} 第{row.source_feature}行 row {row.source_feature}" + (
        f": {words[:500]}" if words else ""
    )
