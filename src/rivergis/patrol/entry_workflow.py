"""Enter patrols that left no track: paper logs one by one or a pile at a time, drawn lines, drones, meetings, proxies.

A row that is right is recorded, a row that is not says what is wrong with it; a pile is never held up by one sheet.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.db import people
from rivergis.db.connect import Database, now_of
from rivergis.db.versions import IDENTITY_NAMESPACE, content_hash
from rivergis.errors import InputError
from rivergis.intake import sources, vector
from rivergis.patrol import entries, entry_store, merge_workflow, paper, scan_files, typed
from rivergis.patrol.entries import Stretch
from rivergis.patrol.typed import Scan, Typed, Wrong
from rivergis.river import store as river_store
from rivergis.river.landmarks import Gazetteer
from rivergis.rules import RuleView


@dataclass(frozen=True)
class Entered:
    """What became of one row: recorded, known before, or not recorded because of ``problems`` (sentences)."""

    row: int
    entry_id: str | None = None
    known: bool = False
    problems: list[str] = field(default_factory=list)
    where: str = ""
    """The stretches in words, for a person to check."""
    merged_into: str | None = None


@dataclass(frozen=True)
class Ground:
    """What an entry of a civil day is held against: chiefs, their duties, rivers with axes, landmarks."""

    on: date
    chiefs: pd.DataFrame
    duties: pd.DataFrame
    rivers: pd.DataFrame
    axes: Any
    gazetteer: Gazetteer

    def chief(self, said: str) -> Any:
        """The chief of that code, of that sheet (表号), or the only one of that name; raises ``Wrong``."""
        own = self.chiefs[self.chiefs["code"] == said]
        if own.empty and paper.looks_like_number(said):
            own = self._of_sheet(said)
        if own.empty:
            plain = "".join(said.split())
            own = self.chiefs[self.chiefs["name"].map(lambda n: "".join(n.split())) == plain]
        if own.empty:
            raise Wrong("chief_unknown", said=said, day=self.on)
        if len(own) > 1:
            raise Wrong("chief_several", said=said, codes="、".join(own["code"]))
        return own.iloc[0]

    def _of_sheet(self, said: str) -> pd.DataFrame:
        mine = self.chiefs["id"].map(lambda i: paper.same_number(paper.number_of(i), said))
        if not paper.is_number(said) or not mine.any():
            raise Wrong("sheet_unknown", said=said)
        return self.chiefs[mine]

    def river(self, said: str) -> Any:
        """Id of the river of that code, or the only one of that name; raises ``Wrong``."""
        own = self.rivers[self.rivers["code"] == said]
        own = self.rivers[self.rivers["name"] == said] if own.empty else own
        if own.empty:
            raise Wrong("river_unknown", said=said)
        if len(own) > 1:
            raise Wrong("river_several", said=said, codes="、".join(own["code"]))
        return own.iloc[0]["id"]

    def rivers_of(self, chief_id: Any) -> list[Any]:
        """Rivers on which a chief answers for metres that day."""
        return list(dict.fromkeys(self.duties.loc[self.duties["chief_id"] == chief_id, "river_id"]))

    def words_of(self, parts: Sequence[Stretch]) -> str:
        """Stretches as people read them: river, from – to."""
        names = self.rivers.set_index("id")["name"]
        said = []
        for s in parts:
            metres = [self.gazetteer.label(s.river_id, m) for m in (s.from_m, s.to_m) if m is not None]
            said.append(" ".join([str(names.get(s.river_id, "")), " – ".join(metres)]).strip())
        return "; ".join(said)


def ground(conn: Connection, on: date, view: RuleView) -> Ground:
    """What holds on a civil day."""
    known = now_of(conn)
    axes = river_store.axes(conn, on, known)
    return Ground(
        on,
        entry_store.chiefs(conn, on),
        river_store.duties(conn, on, known),
        river_store.rivers(conn, on, known),
        axes,
        Gazetteer(river_store.landmarks(conn, on, known), axes, view.number("river.chainage.max_offset")),
    )


def _of_area(whole: Ground, area: str) -> Ground:
    """What somebody may name who is held to an area (adcode prefix): chiefs who serve units in it."""
    if not area:
        return whole
    units = whole.chiefs["unit_code"].map(lambda code: people.area_code(code) if code else "")
    return replace(whole, chiefs=whole.chiefs[units.str.startswith(area)])


def enter(
    db: Database, rows: Sequence[Typed], *, actor: str, view: RuleView, today: date | None = None
) -> list[Entered]:
    """Record a pile of entries (录入纸质巡河日志): the good rows in one transaction, the others told with what is wrong.

    The same row again is known and changes nothing. An entry whose track is there already is merged into it, if only one
    patrol can be meant.
    """
    today = today or datetime.now(typed.SHANGHAI).date()
    with db.write(actor) as conn:
        entry_store.one_at_a_time(conn)
        grounds = lru_cache(maxsize=None)(lambda on: _of_area(ground(conn, on, view), db.area))
        out = [_enter_one(conn, i, row, grounds, view, today) for i, row in enumerate(rows)]
        return _merged(conn, out, view)


def _enter_one(conn: Connection, i: int, row: Typed, grounds: Any, view: RuleView, today: date) -> Entered:
    try:
        on = typed.day_of(row.day, today)
        g: Ground = grounds(on)
        chief = _chief(g, row)
        parts, source = _stretches(g, chief["id"], row, view)
        values = typed.values_of(row, chief["id"], on)
    except Wrong as error:
        return Entered(i, problems=[error.sentence])
    except InputError as error:
        return Entered(i, problems=[worded(error)])
    entry_id = _identity(values, parts, source)
    where = g.words_of(parts)
    if entry_store.known_ids(conn, [entry_id]):
        return Entered(i, str(entry_id), known=True, where=where)
    record(conn, pd.DataFrame([{**values, "id": entry_id, "source_sha256": source}]), {entry_id: parts})
    if row.person.strip():
        entry_store.add_person(conn, entry_id, row.person.strip(), "assistant")
    return Entered(i, str(entry_id), where=where)


def record(conn: Connection, frame: pd.DataFrame, parts: Mapping[uuid.UUID, Sequence[Stretch]]) -> None:
    """Record entries with their stretches in the caller's transaction."""
    rows = [
        {
            "entry_id": entry_id,
            "seq": seq,
            "river_id": s.river_id,
            "bank": s.bank,
            "from_m": s.from_m,
            "to_m": s.to_m,
            "from_landmark_id": s.from_landmark_id,
            "to_landmark_id": s.to_landmark_id,
        }
        for entry_id, own in parts.items()
        for seq, s in enumerate(own)
    ]
    entry_store.add(conn, frame, pd.DataFrame(rows))


def _merged(conn: Connection, out: list[Entered], view: RuleView) -> list[Entered]:
    new = [uuid.UUID(e.entry_id) for e in out if e.entry_id and not e.known]
    told = merge_workflow.merge(conn, [(r.chief_id, r.day) for r in entry_store.by_id(conn, new).itertuples()], view)
    tracks = {m["entry_id"]: m["track_id"] for m in told.merged}
    return [Entered(**{**vars(e), "merged_into": tracks.get(e.entry_id)}) for e in out]


def worded(error: InputError) -> str:
    """An error of the gazetteer or of a file in both languages, where the catalogue has words for it."""
    problem = error.details.get("problem")
    if problem is None:
        return error.sentence
    proposals = "、".join(error.details.get("proposals") or []) or "—"
    return words.both(f"entry_problem.place_{problem}", said=error.details.get("said"), proposals=proposals)


def _chief(g: Ground, row: Typed) -> Any:
    if row.kind not in typed.TYPED_KINDS:
        raise Wrong("kind", said=row.kind, kinds="、".join(typed.TYPED_KINDS))
    if not row.chief.strip():
        raise Wrong("chief_missing")
    if row.kind == "proxy" and not row.person.strip():
        raise Wrong("person_missing")
    return g.chief(row.chief.strip())


def _stretches(g: Ground, chief_id: Any, row: Typed, view: RuleView) -> tuple[list[Stretch], str | None]:
    """Stretches of a row, and the hash of the drawn file if there is one."""
    if row.bank not in ("left", "right", "both"):
        raise Wrong("bank", said=row.bank)
    if row.drawn is not None:
        return _drawn(g, row.drawn, view), sources.sha256(row.drawn)
    if row.kind == "hand_drawn":
        raise Wrong("line_missing")
    begins, ends, named = (typed.parts_of(t) for t in (row.begin, row.end, row.river))
    rivers = [[g.river(n)] for n in named] or [g.rivers_of(chief_id)]
    if not begins and not ends:
        return [Stretch(r, bank=row.bank) for own in rivers for r in own], None
    if not begins:
        raise Wrong("begin_missing")
    if not all(rivers):
        raise Wrong("river_missing")
    ends = ends or [""] * len(begins)
    rivers = rivers * len(begins) if len(rivers) == 1 else rivers
    if not len(begins) == len(ends) == len(rivers):
        raise Wrong("parts")
    return [_between(g, *part, row.bank) for part in zip(rivers, begins, ends, strict=True)], None


def _between(g: Ground, rivers: list[Any], begin: str, end: str, bank: str) -> Stretch:
    """The stretch on the one river where both places are; what stands in the way is told of the river if there is one."""
    found, errors = [], []
    for river in rivers:
        try:
            found.append(_one_between(g, river, begin, end, bank))
        except InputError as error:
            errors.append(error)
    if len(found) > 1:
        raise Wrong("river_which", said=f"{begin} – {end}" if end else begin)
    if not found:
        raise next((e for e in errors if e.details.get("proposals")), errors[0])
    return found[0]


def _one_between(g: Ground, river: Any, begin: str, end: str, bank: str) -> Stretch:
    if not end:
        return Stretch(river, bank=bank, from_landmark_id=g.gazetteer.spot(river, begin).landmark_id)
    b = g.gazetteer.between(river, begin, end)
    return Stretch(river, b.from_m, b.to_m, bank, b.start.landmark_id, b.end.landmark_id)


def _drawn(g: Ground, path: Path, view: RuleView) -> list[Stretch]:
    frame, layer, _ = vector.read_frame(path)
    lines = frame.geometry.dropna() if isinstance(frame, gpd.GeoDataFrame) else gpd.GeoSeries([])
    if lines.empty or not set(lines.geom_type) <= {"LineString", "MultiLineString"}:
        raise InputError(
            f"{path.name}, layer {layer} holds no lines only: give the drawn way as lines.",
            problem="no_line",
            said=path.name,
        )
    if g.axes.empty:
        raise Wrong("no_axes")
    parts, _ = entries.along_rivers(
        lines.union_all(),
        g.axes,
        within_m=view.number("patrol.coverage.visible_beyond_bank"),
        min_m=view.number("patrol.coverage.min_leg"),
    )
    if not parts:
        raise InputError(
            f"{path.name}: the drawn line runs along no river: look at its coordinate system and place.",
            problem="line_off",
            said=path.name,
        )
    return parts


def _identity(values: dict[str, Any], parts: Sequence[Stretch], source: str | None) -> uuid.UUID:
    """The same patrol typed twice is one entry; note and scan do not make it another."""
    told = {k: v for k, v in values.items() if k not in ("note", "scan_sha256", "scan_path", "problems")}
    where = [[str(v) for v in vars(s).values()] for s in parts]
    return uuid.uuid5(IDENTITY_NAMESPACE, "entry/typed/" + content_hash({**told, "where": where, "source": source}))


def scan_of(path: Path, store_dir: Path) -> Scan:
    """Keep the scan at a path of this machine; ``InputError`` where it is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the name.", file=str(path)) from error
    return scan_files.keep(content, path.name, store_dir)
