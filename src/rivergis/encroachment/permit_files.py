"""Columns of a check by what they mean, kinds in the words of a place, and the permits of a file on a day."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd

from rivergis.boundary.ground.closing import Said
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.permits import KINDS, Permits, nowhere, permits_on
from rivergis.encroachment.reports import kind_of_class
from rivergis.rules import RuleView
from rivergis.rules.classes import same

_BETWEEN_KINDS = re.compile(r"[;,、,;|\[\]\"']+")

# columns by what they mean, the first that is there
COLUMNS: dict[str, tuple[str, ...]] = {
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


def permits_of(layer: Layer | None, zone: Any, on: date, view: RuleView | None = None) -> Permits:
    """Permits of a layer on a day, in a metric zone; none without a layer. ``view``: rules that know other words for kinds."""
    if layer is None:
        empty = {c: pd.Series(dtype=object) for c in ("id", "allows")}
        return permits_on(gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=zone)), on)
    read = {c: layer.days(*COLUMNS[c]) for c in ("valid_from", "valid_to", "accepted_on")}
    kind, allows = _kind_and_allows(layer)
    frame = layer.frame.assign(
        id=layer.names(), allows=allows.where(allows.notna(), None), kind=kind,
        **{c: layer.values(*COLUMNS[c]) for c in ("reach", "river", "river_code")},
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


def said_of(permits: Permits, layer: Layer, waters: set[str], view: RuleView) -> list[Said]:
    """Permits that cannot do what a permit does: days nobody can read, no place, no kind that is known, no days at all."""
    ids, file, known = permits.frame["id"].to_numpy(object), layer.about["file"], view.book.taxonomy["candidate_kinds"]
    strange = [a is None or a != a or a not in known for a in permits.frame["allows"]]
    endless = not any(layer.column(*COLUMNS[c]) for c in ("valid_from", "valid_to"))
    found = (
        ("permit_date_unread", ids[permits.unread], "have days that cannot be read: they take nothing off, and candidates of their kind there "
         "wait for a person"),
        ("permit_without_place", ids[nowhere(permits, waters)], "have no shape and name no river or reach that the boundary names: they take "
         "nothing off and hold nothing back; draw them, or name the water as the boundary does"),
        ("permit_kind_unknown", ids[strange], "do not say what they are for in a word that is known (building, quarry, dump, occupation, "
         "房屋, 采砂 ...): they take nothing off but what is called by the same word"),
        ("permit_without_days", ids if endless else ids[:0], "have no column of days (valid_from, valid_to, 有效期起, 有效期止): they are taken to "
         "hold without end"),
    )  # fmt: skip
    rows = [(code, tuple(dict.fromkeys(map(str, which))), sentence) for code, which, sentence in found if len(which)]
    return [
        Said(c, f"{len(w)} permits of {file} ({', '.join(w[:5])}) {sentence}.", w, "permits") for c, w, sentence in rows
    ]
