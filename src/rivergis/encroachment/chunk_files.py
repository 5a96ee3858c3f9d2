"""Candidates of one zone with what they are called, permits and source zones of a file, and what an overlay says of them in rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis.boundary.closing import Said
from rivergis.boundary.prepared import Prepared
from rivergis.encroachment.findings import Told
from rivergis.encroachment.lawful import allowed_use
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.overlay import Overlaid
from rivergis.encroachment.permit_match import Permitted
from rivergis.encroachment.permits import KINDS, Permits, by_candidate, links, permits_on, unplaced
from rivergis.encroachment.position import Stand
from rivergis.encroachment.reports import kind_of_class
from rivergis.rules import RuleView
from rivergis.rules.classes import same

UNACCEPTED = "permit_unaccepted"
UNKNOWN = "unknown"
_BETWEEN_KINDS = re.compile(r"[;,、,;|\[\]\"']+")

# columns by what they mean, the first that is there
_NAMES: dict[str, tuple[str, ...]] = {
    "kind": ("kind", "类型", "种类", "class", "layer", "图层"),
    "source": ("source", "source_kind", "来源", "feed"),
    "word": ("subtype", "subtype_hint", "word", "子类", "小类", "细类", "问题类型", "地物类型", "class_code", "描述"),
    "last_without": ("last_without", "image_date_before", "前时相"),
    "first_with": ("first_with", "image_date_after", "seen_at", "后时相"),
    "valid_from": ("valid_from", "有效期起", "有效期自", "许可起日", "起始日期", "开始日期"),
    "valid_to": ("valid_to", "有效期止", "有效期至", "许可止日", "截止日期", "结束日期", "到期日期"),
    "accepted_on": ("accepted_on", "竣工验收日期"),
    "reach": ("reach", "reach_id", "河段"),
    "river": ("river", "river_name", "河流", "河流名称", "所在河流"),
    "river_code": ("river_code", "河流编码"),
}


class Chunk:
    """Candidates of one zone with what they are called, and what an overlay says of them in rows."""

    def __init__(self, layer: Layer, ground: Prepared, permits: Permits, stem: str, view: RuleView) -> None:
        self.layer, self.ground, self.permits, self.view = layer, ground, permits, view
        self.names = layer.names()
        called = layer.values(*_NAMES["kind"]).astype(object)
        self.kinds = kinds_of(called, view).fillna(UNKNOWN).to_numpy(object)
        self.sources = layer.values(*_NAMES["source"]).fillna(stem).astype(str).to_numpy(object)
        codes = view.book.taxonomy["candidate_kinds"]
        in_words = called.map(lambda w: None if same(str(w)) in codes else w).astype(object)
        self.words = layer.values(*_NAMES["word"]).astype(object).fillna(in_words)
        self.frame = layer.frame.assign(kind=self.kinds).reset_index(drop=True)
        self.ids = permits.frame["id"].to_numpy(object)

    def said(self, done: Overlaid) -> Iterator[Said]:
        why = {"no_geometry": "it has no geometry", "degenerate": "it encloses no ground"}
        for c in np.flatnonzero(np.isin(done.reason.astype(str), list(why))).tolist():
            feature = self.layer.frame.index[c]
            because = self.layer.faults.get(feature) or f"{why[done.reason[c]]}."
            yield Said(
                "candidate_skipped",
                f"Candidate {self.names[c]} (feature {feature}) was left out: {because}",
                (str(feature),),
                "candidates",
            )
        for c in np.flatnonzero(done.repaired).tolist():
            feature = self.layer.frame.index[c]
            said = f"Candidate {self.names[c]} (feature {feature}) crosses itself: it was repaired, {done.shape[c].area:.1f} m² in all."
            yield Said("candidate_repaired", said, (str(feature),), "candidates")

    def waiting(self, done: Overlaid, place_m: float) -> dict[int, list[str]]:
        """Candidates that a permit without a place may concern (有许可·待核位置), with the permits."""
        if not self.permits.open.any():
            return {}
        at, kinds = done.told, self.kinds[done.told]
        names, within = waters_of(self.ground.areas), by_candidate(done.within)
        waters = [{w for a in within.get(c, ()) for w in names[a]} for c in at.tolist()]
        out: dict[int, set[str]] = {}
        for found in (
            unplaced(kinds, waters, self.permits),
            links(done.net[at], kinds, self.permits, self.permits.open, place_m),
        ):
            for c, p in zip(at[found.candidate].tolist(), found.permit.tolist(), strict=True):
                out.setdefault(c, set()).add(self.ids[p])
        return {c: sorted(p) for c, p in out.items()}

    def lawful(self, done: Overlaid) -> dict[int, str]:
        """Candidates whose use is lawful inside the line (a field on the beach), with the clause; what needs evidence first stays."""
        found = {}
        for c, kind, word in zip(
            done.told.tolist(), self.kinds[done.told], self.words.to_numpy(object)[done.told], strict=True
        ):
            use = None if pd.isna(word) else self.view.lawful_use(known_kind(kind, self.view), str(word))
            told = allowed_use(use, Stand(), ("unknown",))
            if told is not None and told["state"] == "allowed":
                found[c] = f"{told['zh']}({told['clause']})"
        return found

    def row(self, done: Overlaid, c: int) -> dict[str, Any]:
        return {"candidate": self.names[c], "kind": self.kinds[c], "area_m2": _round(done.gross_m2[c])}

    def not_told(self, done: Overlaid, c: int) -> dict[str, Any]:
        permits = [self.ids[p] for p in done.permits.of(c)]
        return self.row(done, c) | {"reason": done.reason[c]} | ({"permits": permits} if permits else {})

    def unaccepted(self, done: Overlaid) -> Iterator[dict[str, Any]]:
        """Candidates under a permanent work whose time to build has ended without papers of acceptance."""
        late = self.permits.unaccepted[done.permits.permit]
        for c in np.unique(done.permits.candidate[late]).tolist():
            permits = [self.ids[p] for p in done.permits.of(c) if self.permits.unaccepted[p]]
            yield self.row(done, c) | {"permits": permits, "why": UNACCEPTED}

    def told(self, done: Overlaid, at: np.ndarray, place_m: float) -> Iterator[Told]:
        """The candidates at ``at`` as they go into findings."""
        ended = links(done.net[at], self.kinds[at], self.permits, self.permits.ended & self.permits.placed)
        beside = links(done.net[at], self.kinds[at], self.permits, self.permits.placed, place_m)
        numbers = [
            [_number(v) for v in self.layer.sizes(*c).to_numpy()[at]]
            for c in (("accuracy_m",), ("gsd_m", "image_res_m"))
        ]
        words = [None if pd.isna(w) else str(w) for w in self.words.to_numpy(object)[at]]
        within, taken = by_candidate(done.within), by_candidate(done.permits)
        over, near = by_candidate(ended), by_candidate(beside)
        last = self.permits.frame["valid_to"].to_list() if "valid_to" in self.permits.frame else []
        main = done.main.tolist()
        days = [
            [None if pd.isna(d) else d.date() for d in self.layer.days(*_NAMES[c])[0].iloc[at]]
            for c in ("last_without", "first_with")
        ]
        for i, (c, word, accuracy, gsd, without, seen) in enumerate(
            zip(at.tolist(), words, *numbers, *days, strict=True)
        ):
            yield Told(
                self.names[c], self.kinds[c], self.sources[c], word, accuracy, gsd, without, seen, done.shape[c], done.net[c],
                within.get(c, ()), main[c], tuple(self.ids[p] for p in taken.get(c, ())),
                tuple((self.ids[p], str(last[p])[:10]) for p in over.get(i, ())), tuple(self._permitted(p) for p in near.get(i, ())),
            )  # fmt: skip

    def _permitted(self, p: int) -> Permitted:
        row = self.permits.frame.iloc[p]
        first, last, accepted = (
            None if pd.isna(row[c]) else row[c].date() for c in ("valid_from", "valid_to", "accepted_on")
        )
        return Permitted(
            str(row["id"]), None, str(row["allows"]), row["kind"] or "temporary_use", "polygon", self.permits.frame.geometry.iloc[p],
            valid_from=first, valid_to=last, accepted_on=accepted,
        )  # fmt: skip


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _round(value: float, digits: int = 1) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)


def kinds_of(words: pd.Series, view: RuleView) -> pd.Series:
    """Kinds of candidates by their code, or by the words of the place (乱建, 采砂, 弃渣); missing where none is said.

    A word that nobody knows is a kind of its own: what is called by it is the same thing, and a permit for it is for that.
    """
    kinds = view.book.taxonomy["candidate_kinds"]

    def kind(word: str) -> str | None:
        plain = same(word)
        if plain in kinds or not plain:
            return plain or None
        found = view.book.local_class(view.path, word)
        return kind_of_class(found.groups, found.code) or plain

    known = {w: kind(str(w)) for w in words.dropna().unique()}
    return words.astype(object).map(known).astype(object)


def known_kind(kind: str, view: RuleView) -> str:
    """The kind as the rules know it, ``unknown`` where they do not."""
    return kind if kind in view.book.taxonomy["candidate_kinds"] else UNKNOWN


def waters_of(areas: pd.DataFrame) -> list[set[str]]:
    """What each management area says of the water it is at: names and codes of reach and river."""
    columns = [areas[c] for c in ("reach", "river", "river_code") if c in areas]
    return [{str(v) for v in row if pd.notna(v)} for row in zip(*columns, strict=True)]


def zones_of(layer: Layer | None, system: Any) -> gpd.GeoDataFrame | None:
    """Source zones in metres with code, name, zone_class; a zone without a class is taken for the widest (准保护区, 3)."""
    if layer is None:
        return None
    names = layer.names()
    frame = gpd.GeoDataFrame(
        {
            "code": names, "name": layer.values("name", "名称").fillna(pd.Series(names, index=layer.frame.index)),
            "zone_class": layer.values("zone_class", "class", "级别", "保护区级别").map(_zone_class),
        },
        geometry=layer.frame.geometry,
    )  # fmt: skip
    return frame[frame.geometry.notna()].to_crs(system)


def _zone_class(word: Any) -> int:
    text = str(word)
    return next((n for n, words in ((1, ("1", "一级")), (2, ("2", "二级"))) if any(w in text for w in words)), 3)


def permits_of(layer: Layer | None, zone: Any, on: date, view: RuleView | None = None) -> Permits:
    """Permits of a layer on a day, in a metric zone; none without a layer. ``view``: rules that know other words for kinds."""
    if layer is None:
        empty = {c: pd.Series(dtype=object) for c in ("id", "allows")}
        return permits_on(gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=zone)), on)
    read = {c: layer.days(*_NAMES[c]) for c in ("valid_from", "valid_to", "accepted_on")}
    kind, allows = _kind_and_allows(layer)
    frame = layer.frame.assign(
        id=layer.names(), allows=allows.where(allows.notna(), None), kind=kind,
        **{c: layer.values(*_NAMES[c]) for c in ("reach", "river", "river_code")},
        **{c: days for c, (days, _) in read.items()}, unread=pd.concat([wrong for _, wrong in read.values()], axis=1).any(axis=1),
    )  # fmt: skip
    return permits_on((_by_kind(frame, view) if view else frame).to_crs(zone), on)


def _kind_and_allows(layer: Layer) -> tuple[pd.Series, pd.Series]:
    """What sort of permit each is (临时占用) and what it is for (建筑物); 许可类型 means one in some lists and the other in others."""
    either = layer.values("许可类型").astype(object)
    sorts = either.map(lambda w: str(w).strip() in KINDS).any()
    kind = layer.values("kind", "permit_kind", "许可种类").astype(object)
    allows = layer.values("allows", "kind_allowed", "许可对象类型", "许可对象", "建设内容", "许可内容").astype(object)
    return (kind.fillna(either), allows) if sorts and allows.notna().any() else (kind, allows.fillna(either))


def _by_kind(frame: gpd.GeoDataFrame, view: RuleView) -> gpd.GeoDataFrame:
    """Permits with a row for each kind they allow (房屋、弃渣)."""
    frame = frame.reset_index(drop=True)
    said = frame["allows"].map(lambda a: [w for w in _BETWEEN_KINDS.split("" if a is None else str(a)) if w.strip()])
    kinds = kinds_of(said.explode(), view).rename_axis("permit").rename("allows").reset_index().drop_duplicates()
    return frame.loc[kinds["permit"]].assign(allows=kinds["allows"].to_numpy(object)).reset_index(drop=True)
