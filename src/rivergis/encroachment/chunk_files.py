"""Candidates of one zone with what they are called, permits and source zones of a file, and what an overlay says of them in rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from rivergis.boundary.ground.closing import Said
from rivergis.boundary.ground.prepared import Prepared
from rivergis.encroachment.findings import Told
from rivergis.encroachment.lawful import allowed_use
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.overlay import Overlaid
from rivergis.encroachment.permit_files import COLUMNS, kinds_of
from rivergis.encroachment.permit_match import Permitted
from rivergis.encroachment.permits import Permits, by_candidate, links, unplaced
from rivergis.encroachment.position import Stand
from rivergis.rules import RuleView
from rivergis.rules.classes import same

UNACCEPTED = "permit_unaccepted"
UNKNOWN = "unknown"


class Chunk:
    """Candidates of one zone with what they are called, and what an overlay says of them in rows.

    ``waters``: by area, what it says of the water it is at (``waters_of``).
    """

    def __init__(
        self, layer: Layer, ground: Prepared, permits: Permits, waters: list[set[str]], stem: str, view: RuleView
    ) -> None:
        self.layer, self.ground, self.permits, self.waters, self.view = layer, ground, permits, waters, view
        self.names = layer.names()
        called = layer.values(*COLUMNS["kind"]).astype(object)
        self.kinds = kinds_of(called, view).fillna(UNKNOWN).to_numpy(object)
        self.sources = layer.values(*COLUMNS["source"]).fillna(stem).astype(str).to_numpy(object)
        codes = view.book.taxonomy["candidate_kinds"]
        in_words = called.map(lambda w: None if same(str(w)) in codes else w).astype(object)
        self.words = layer.values(*COLUMNS["word"]).astype(object).fillna(in_words)
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
        within = by_candidate(done.within)
        waters = [{w for a in within.get(c, ()) for w in self.waters[a]} for c in at.tolist()]
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
            [None if pd.isna(d) else d.date() for d in self.layer.days(*COLUMNS[c])[0].iloc[at]]
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
