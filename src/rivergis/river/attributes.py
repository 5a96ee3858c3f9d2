"""What the source attributes of river lines say: kind, cover, name, flow, next line, rank, levels, width.

River lines come with fields of survey offices, of OpenStreetMap, HydroRIVERS, NHD, TauDEM or ArcHydro. Which field names
and values are known is data (``gis/text/river_words.yaml``, given as ``words``). A field is taken for a role only where
its name is known and nine tenths of its values are understood; what was taken, and what was not, stands in the ``Reading``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from rivergis.errors import UsageError

Words = Mapping[str, Any]
Lookup = dict[str, str]

ROLES = (
    "kind",
    "covered",
    "level",
    "name",
    "flow",
    "id",
    "next",
    "rank",
    "upstream_level",
    "downstream_level",
    "width",
)
UNDERSTOOD = 0.9
"""Share of the said values of a field that must be understood before it is taken."""
SMALL_MISSES = 2
"""Lines of a short file that may name a next line outside of it: its outlets."""
RINGED = 0.01
"""Share of the lines of a next-line field that may run in a ring (and are left out) before it is passed over."""
SHOWN = 8


@dataclass(frozen=True)
class Taken:
    """One field taken for one role: how many lines it speaks for, and the values that were not understood (value, lines)."""

    role: str
    field: str
    said: int
    unread: tuple[tuple[str, int], ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class PassedOver:
    """A field whose name would fit a role and whose values do not."""

    role: str
    field: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """Which field was taken for what, and which were passed over, so that nothing is taken in silence."""

    taken: tuple[Taken, ...]
    passed_over: tuple[PassedOver, ...]

    def field_of(self, role: str) -> str | None:
        """The field taken for a role, or None."""
        return next((t.field for t in self.taken if t.role == role), None)


def read(frame: pd.DataFrame, words: Words, fields: Mapping[str, str] | None = None) -> tuple[pd.DataFrame, Reading]:
    """What the fields of river lines say (属性解读), one row per line, and which field was taken for what.

    ``frame``: the lines' attributes. ``words``: the content of ``river_words.yaml``. ``fields``: role (of ``ROLES``) ->
    field, where a person knows better than the list of names.
    Returns a frame with the index of ``frame``: ``kind`` (river, stream, canal, ditch; ``shoreline`` edge of standing
    water, ``other`` no river at all, such as a dam in the same layer; river where nothing is said), ``covered`` (bool,
    暗渠), ``level`` (int, the ``layer`` of OSM, 0 ground), ``name`` (text or None), ``flow`` (+1 runs as drawn, -1 against,
    0 not said), ``link_id`` and ``next_source_id`` (text or None: this line and the next one downstream), ``rank`` (float,
    larger is a greater river: Strahler's order, or a river class as its negative), ``upstream_level_m`` and
    ``downstream_level_m`` (float), ``width_m`` (float); NaN where not said.
    Raises ``UsageError`` for a role or field in ``fields`` that does not exist, or a next-line field that is none.
    """
    desk = _Desk(frame, words, fields or {})
    out = pd.DataFrame(index=frame.index)
    kinds = desk.coded("kind", words["kind"])
    out["kind"] = _column([k.split()[0] if k else "river" for k in kinds], frame)
    out["name"] = _column(desk.names(), frame)
    out["covered"] = desk.covered() | _ends(kinds, (" covered",)) | desk.covered_names(out["name"])
    out["level"] = desk.whole("level", words["level"])
    out["flow"] = pd.to_numeric(pd.Series(desk.coded("flow", words["flow"]))).fillna(0).astype(np.int64).to_numpy()
    out["link_id"], out["next_source_id"] = (_column(ids, frame) for ids in desk.links())
    out["rank"] = desk.rank()
    out["upstream_level_m"], out["downstream_level_m"] = desk.levels()
    out["width_m"] = desk.measure("width", words["width"], words["width_range_m"])
    return out, desk.reading()


def read_areas(
    frame: pd.DataFrame, words: Words, fields: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, Reading]:
    """What the fields of water areas say: ``kind`` and ``name``, with the index of ``frame``, and which fields were taken.

    ``kind``: river, canal, lake, reservoir, pond, unknown (water, nothing more is said) or other (wetland, island, basin
    of a sewage works: no water that belongs to a river). Roles of ``fields``: kind, name.
    """
    desk = _Desk(frame, words, fields or {})
    kinds = desk.coded("kind", words["area_kind"])
    out = pd.DataFrame(index=frame.index)
    out["kind"] = _column([k or "unknown" for k in kinds], frame)
    out["name"] = _column(desk.names(), frame)
    return out, desk.reading()


def links(words: pd.DataFrame, source_id: pd.Series | None = None) -> npt.NDArray[np.int64]:
    """Pairs (line, next line downstream) as row positions, shape (n, 2), from the next-line field of ``read``.

    ``words``: the frame that ``read`` returned. ``source_id``: ids that ``next_source_id`` refers to, in the same order;
    by default ``link_id``. An id that several rows carry (parts of one line) gives every pair: which of them
    touch is a question for geometry.
    """
    ids = words["link_id"] if source_id is None else _texts(source_id)
    rows = pd.DataFrame({"id": np.asarray(ids, dtype=object), "next": words["next_source_id"].to_numpy(dtype=object)})
    rows["row"] = np.arange(len(rows))
    there = rows.dropna(subset=["id"])[["id", "row"]].rename(columns={"id": "next", "row": "next_row"})
    pairs = rows.dropna(subset=["next"]).merge(there, on="next").sort_values(["row", "next_row"])
    return pairs[["row", "next_row"]].to_numpy(dtype=np.int64).reshape(-1, 2)


class _Desk:
    """One reading of one frame: fields by their plain name, and the growing list of what was taken."""

    def __init__(self, frame: pd.DataFrame, words: Words, chosen: Mapping[str, str]) -> None:
        self.frame, self.words, self.chosen = frame, words, dict(chosen)
        self.names_of = {_plain(c): c for c in reversed(list(frame.columns)) if c != _geometry_of(frame)}
        self.nothing = {_plain(w) for w in words["none"]}
        self.taken: list[Taken] = []
        self.passed_over: list[PassedOver] = []
        self._check_chosen()

    def _check_chosen(self) -> None:
        for role, name in self.chosen.items():
            if role not in ROLES:
                raise UsageError(f"{role!r} is no role of a field; roles are {', '.join(ROLES)}.")
            if _plain(name) not in self.names_of:
                there = ", ".join(map(str, self.names_of.values())) or "none"
                raise UsageError(f"There is no field {name!r} for {role}; the fields are {there}.", field=name)

    def reading(self) -> Reading:
        return Reading(tuple(self.taken), tuple(dict.fromkeys(self.passed_over)))

    def candidates(self, role: str, known: list[str]) -> list[str]:
        """Fields of the frame that may play a role: the chosen one alone, or those with a known name in its order."""
        if role in self.chosen:
            return [self.names_of[_plain(self.chosen[role])]]
        return [self.names_of[_plain(k)] for k in known if _plain(k) in self.names_of]

    def values(self, field: str, nothing: set[str] | None = None) -> pd.Series:
        """The said values of a field as plain text; None where nothing is said."""
        text = _texts(self.frame[field])
        silent = self.nothing | (nothing or set())
        return text.map({v: None if _plain(v) in silent else v for v in text.dropna().unique()}).astype(object)

    def accept(self, role: str, field: str, said: pd.Series, read: pd.Series, note: str | None = None) -> bool:
        """Whether enough of what a field says is understood; written down either way."""
        n, unread = int(said.notna().sum()), said[said.notna() & read.isna()]
        if n == 0:
            return False
        if len(unread) > (1 - UNDERSTOOD) * n and role not in self.chosen:
            examples = ", ".join(map(str, unread.value_counts().index[:3]))
            reason = f"{len(unread)} of {n} values are not understood, such as {examples}"
            self.passed_over.append(PassedOver(role, str(field), reason))
            return False
        left = tuple((str(v), int(c)) for v, c in unread.value_counts().head(SHOWN).items())
        self.taken.append(Taken(role, str(field), n - len(unread), left, note))
        return True

    def coded(self, role: str, groups: list[Words]) -> npt.NDArray[np.object_]:
        """The code of each row by the first group of fields that fits; the fields of one group fill each other up."""
        out = pd.Series([None] * len(self.frame), index=self.frame.index, dtype=object)
        for group in groups:
            for field in self.candidates(role, group["fields"]):
                said = self.values(field)
                read = said.map({v: _code(_plain(v), group) for v in said.dropna().unique()}).astype(object)
                if self._fits(role, read) and self.accept(role, field, said, read):
                    out = out.where(out.notna(), read)
            if out.notna().any():
                break
        else:
            self._chosen_in_vain(role)
        return out.where(out.notna(), None).to_numpy(dtype=object)

    def _fits(self, role: str, read: pd.Series) -> bool:
        """A chosen field is tried against each group of words, and taken with the one that understands any of it."""
        return role not in self.chosen or bool(read.notna().any())

    def _chosen_in_vain(self, role: str) -> None:
        if role in self.chosen:
            raise UsageError(
                f"No value of the field {self.chosen[role]!r} is understood as {role}: choose another field."
            )

    def names(self) -> npt.NDArray[np.object_]:
        """Name of each row, of the first field that has one; numbers are no names."""
        out = pd.Series([None] * len(self.frame), index=self.frame.index, dtype=object)
        for field in self.candidates("name", self.words["name"]["fields"]):
            said = self.values(field, {_plain(w) for w in self.words["name"]["none"]})
            read = said.where(said.isna() | ~said.astype(str).str.fullmatch(r"[-+\d.eE\s]*"), None)
            if self.accept("name", field, said, read):
                out = out.where(out.notna(), read)
        return out.where(out.notna(), None).to_numpy(dtype=object)

    def covered(self) -> npt.NDArray[np.bool_]:
        """Where any of the fields that speak of cover says yes: a tunnel=no does not lift a covered=yes."""
        groups = self.words["covered"]
        tries = [groups] if "covered" in self.chosen else [[g] for g in groups]
        return np.any([self.coded("covered", some) == "1" for some in tries], axis=0)

    def covered_names(self, names: pd.Series) -> npt.NDArray[np.bool_]:
        """Where the name itself ends in a word for a covered channel."""
        hit = _ends(names.to_numpy(dtype=object), tuple(self.words["covered_names"]))
        if hit.any():
            self.taken.append(
                Taken("covered", "name", int(hit.sum()), (), "the name ends in a word for a covered channel")
            )
        return hit

    def numbers(self, role: str, field: str, bounds: tuple[float, float], note: str | None = None) -> pd.Series | None:
        """A field of numbers within bounds (NaN outside), or None where it holds other things."""
        said = self.values(field)
        digits = said.astype("string").str.replace(r"\s*(m|米)$", "", regex=True)
        got = pd.to_numeric(digits, errors="coerce").astype(np.float64)
        inside = got.where(got.between(*bounds))
        # a figure out of bounds (0, -9999) is a way to say nothing; a word is not understood
        return inside if self.accept(role, field, said.where(got.isna() | inside.notna(), None), inside, note) else None

    def whole(self, role: str, known: list[str]) -> npt.NDArray[np.int64]:
        """Small whole numbers, 0 where not said; CAD layer names and the like are passed over."""
        for field in self.candidates(role, known):
            got = self.numbers(role, field, (-10, 10))
            if got is not None:
                return got.fillna(0).round().astype(np.int64).to_numpy()
        return np.zeros(len(self.frame), dtype=np.int64)

    def measure(self, role: str, known: list[str], bounds: tuple[float, float]) -> npt.NDArray[np.float64]:
        for field in self.candidates(role, known):
            got = self.numbers(role, field, bounds)
            if got is not None:
                return got.to_numpy()
        return np.full(len(self.frame), np.nan)

    def rank(self) -> npt.NDArray[np.float64]:
        """Strahler's order, or the negative of a river class: larger is greater in both."""
        names = self.words["rank"]
        for field in self.candidates("rank", names["strahler"]):
            got = self.numbers("rank", field, (1, 15), "an order that rises downstream")
            if got is not None:
                return got.to_numpy()
        for field in self.candidates("rank", names["class"]):
            said = self.values(field)
            figures = {v: names["class_words"].get(_plain(v), v) for v in said.dropna().unique()}
            got = pd.to_numeric(said.map(figures), errors="coerce")
            inside = got.where(got.between(1, 8)).astype(np.float64)
            note = "a class of which 1 is the greatest river, kept as its negative"
            if self.accept("rank", field, said.where(got.isna() | inside.notna(), None), inside, note):
                return -inside.to_numpy()
        return np.full(len(self.frame), np.nan)

    def levels(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Levels in metres of the upstream and the downstream end; both fields of a pair, or neither."""
        for pair in self._level_pairs():
            up_field, down_field = (self.candidates(f"{end}stream_level", [pair[end]]) for end in ("up", "down"))
            if not (up_field and down_field):
                continue
            low, high = (b / pair["unit_m"] for b in self.words["level_range_m"])
            note = "the higher of the two ends counts as upstream" if pair["ends"] == "line" else None
            up = self.numbers("upstream_level", up_field[0], (low, high), note)
            down = self.numbers("downstream_level", down_field[0], (low, high), note)
            if up is None or down is None:
                continue
            a, b = up.to_numpy() * pair["unit_m"], down.to_numpy() * pair["unit_m"]
            return (np.maximum(a, b), np.minimum(a, b)) if pair["ends"] == "line" else (a, b)
        return np.full(len(self.frame), np.nan), np.full(len(self.frame), np.nan)

    def _level_pairs(self) -> list[Words]:
        """Known pairs of level fields; two fields chosen by a person are one pair, named by the flow."""
        chosen = [r for r in ("upstream_level", "downstream_level") if r in self.chosen]
        if len(chosen) == 1:
            raise UsageError("Levels need both ends: name the fields of upstream_level and downstream_level.")
        if chosen:
            return [{"up": "", "down": "", "ends": "water", "unit_m": 1}]
        return list(self.words["levels"])

    def links(self) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        """Own id and id of the next line downstream, of the first pair of fields that fits."""
        nothing = {_plain(w) for w in self.words["links"]["none"]}
        for id_field, next_field in self._link_pairs():
            own, following = self.values(id_field), self.values(next_field, nothing)
            following = following.where(following != own, None)
            inside = following.isin(set(own.dropna()))
            ringed = _ringed(own, following.where(inside, None))
            why_not = _no_link(following, inside, ringed)
            if why_not is None:
                note = f"{int(ringed.sum())} lines that would run in a ring are left out" if ringed.any() else None
                self.taken.append(Taken("id", str(id_field), int(own.notna().sum())))
                self.taken.append(Taken("next", str(next_field), int((inside & ~ringed).sum()), (), note))
                return own.to_numpy(dtype=object), following.where(inside & ~ringed, None).to_numpy(dtype=object)
            if "next" in self.chosen and "id" in self.chosen:
                raise UsageError(f"{next_field!r} does not name the next line by {id_field!r}: {why_not}.")
            self.passed_over.append(PassedOver("next", str(next_field), why_not))
        if "next" in self.chosen:
            raise UsageError(f"No field holds the ids that {self.chosen['next']!r} refers to: name it as id.")
        empty = np.full(len(self.frame), None, dtype=object)
        return empty, empty.copy()

    def _link_pairs(self) -> list[tuple[str, str]]:
        pairs = self.words["links"]["pairs"]
        out = [
            (i, n)
            for pair in pairs
            for i in self.candidates("id", [pair["id"]])
            for n in self.candidates("next", [pair["next"]])
        ]
        return list(dict.fromkeys(out))


def _no_link(following: pd.Series, inside: pd.Series, ringed: pd.Series) -> str | None:
    """Why a field is no field of next lines, or None: nearly all its values are ids of the file, nearly nothing is a ring."""
    n, hit = int(following.notna().sum()), int(inside.sum())
    if hit == 0 or n - hit > max((1 - UNDERSTOOD) * n, SMALL_MISSES):
        return f"{hit} of {n} values are ids of lines in the file"
    if ringed.sum() > RINGED * n:
        return f"{int(ringed.sum())} of its lines would run in a ring"
    return None


def _ringed(own: pd.Series, following: pd.Series) -> pd.Series:
    """Lines from which the way downstream comes back to themselves."""
    codes, ids = pd.factorize(own)
    to = pd.Index(ids).get_indexer(following)
    linked = (codes >= 0) & (to >= 0)
    n = len(ids) + 1  # lines without an id of their own share a last, unlinked place
    graph = coo_matrix((np.ones(linked.sum()), (codes[linked], to[linked])), shape=(n, n))
    _, part = connected_components(graph, directed=True, connection="strong")
    return pd.Series((np.bincount(part)[part] > 1)[codes], index=own.index)


def _code(value: str, group: Words) -> str | None:
    """Code of a plain value: by its word, or by the longest prefix of a classification number."""
    for code, listed in group.get("values", {}).items():
        if value in {_plain(w) for w in listed}:
            return str(code)
    if not value.isdigit() or str(len(value)) not in str(group.get("digits", "")):
        return None
    fits = [
        (len(p), str(code)) for code, prefixes in group["prefixes"].items() for p in prefixes if value.startswith(p)
    ]
    return max(fits)[1] if fits else None


def _column(values: Any, frame: pd.DataFrame) -> pd.Series:
    """Text with None where nothing is said (a frame of its own accord would make NaN of it)."""
    return pd.Series(list(values), index=frame.index, dtype=object)


def _geometry_of(frame: pd.DataFrame) -> str | None:
    return str(frame.geometry.name) if hasattr(frame, "geom_type") else None


def _plain(value: Any) -> str:
    return unicodedata.normalize("NFKC", str(value)).strip().lower()


def _texts(column: pd.Series) -> pd.Series:
    """Values as text, whole numbers without a decimal point (an id of 12.0 is 12), None where null."""
    seen = {v: _text(v) for v in column.dropna().unique()}
    return column.map(seen).astype(object).where(column.notna(), None)


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, str) and value.strip().endswith(".0") and value.strip()[:-2].lstrip("-").isdigit():
        return value.strip()[:-2]
    return str(value).strip()


def _ends(values: npt.NDArray[np.object_], endings: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    return np.array([isinstance(v, str) and v.endswith(endings) for v in values], dtype=bool)
