"""What may be sent to a collection (OGC API Features Part 4, OGC 20-002), and the mark by which an edit says what it was made on.

Three collections can be changed: lines of drafts, candidates and reports from the place. The mark is the ETag of an item.
Clients that cannot send ``If-Match`` (QGIS) send the whole feature back with the columns that the mark is made of: they count as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rivergis.errors import EditionMissing, InputError
from rivergis.layers import Column
from rivergis.maps.collections import collection

_TYPES = {"text": "string", "number": "number", "integer": "integer", "boolean": "boolean", "json": "object"}
_FORMATS = {"date": "date", "time": "date-time"}
_TAG = re.compile(r'(?:W/)?"(\d{1,9})(?:\.(\d{1,9}))?(?:[^\d".][^"]*)?"')
_MAX_TEXT = 4_000


@dataclass(frozen=True)
class Written:
    """How a collection is changed: what may be sent, what must be, and by which columns an edit says what it was made on."""

    fields: tuple[str, ...]
    required: tuple[str, ...]
    mark: tuple[str, ...] = ()
    """Columns that the ETag is made of: edition of the item, and revision of the whole it belongs to."""
    methods: tuple[str, ...] = ("PUT", "PATCH", "DELETE")
    """What an item takes."""
    fixed: tuple[str, ...] = ()
    """What is said once, when it is made."""


WRITTEN: dict[str, Written] = {
    "boundary_draft_line": Written(
        ("draft_code", "river_code", "reach_code", "bank", "from_m", "to_m", "drawn_by", "code", "flood_level_m", "tolerance_m", "note",
         "change_reason"),
        ("draft_code", "river_code"), ("edition", "draft_revision"), fixed=("draft_code",),
    ),
    "candidate": Written(
        ("code", "feed", "kind", "source_kind", "name", "accuracy_m", "seen_at", "evidence", "valid_from", "valid_to"),
        ("kind", "source_kind"), ("version",), fixed=("code",),
    ),
    "report": Written(("kind", "at", "accuracy_m", "note"), ("kind",), methods=()),
}  # fmt: skip

_REASON = Column("change_reason", "text", "修改理由", "reason of the change")


@dataclass(frozen=True)
class Mark:
    """The edition an edit was made on; ``revision``: what its author knew of the whole; ``said_in``: header or feature."""

    edition: int
    revision: int | None
    said_in: str


def column(collection_id: str, name: str) -> Column:
    """A column that may be sent."""
    return _REASON if name == _REASON.name else collection(collection_id).column(name)


def properties(collection_id: str) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """JSON schema of what may be sent, by name, and what must be."""
    written = WRITTEN[collection_id]
    return {n: schema(column(collection_id, n)) for n in written.fields}, list(written.required)


def schema(one: Column) -> dict[str, Any]:
    """JSON schema of one column."""
    told: dict[str, Any] = {"title": f"{one.zh} {one.en}", "type": _TYPES.get(one.kind, "string")}
    if one.kind in _FORMATS:
        told["format"] = _FORMATS[one.kind]
    if one.choices:
        told["enum"] = list(one.choices)
    return told


def tag_sql(collection_id: str) -> str:
    """SQL of the ETag of an item of a collection that can be changed; its relation goes by the alias ``t``."""
    mark = WRITTEN[collection_id].mark
    inside = " || '.' || ".join(f"t.{c}::text" for c in mark) or "'1'"
    return f"""'"' || {inside} || '"'"""


def tag(edition: int, revision: int | None = None) -> str:
    """The ETag of an item."""
    return f'"{edition}"' if revision is None else f'"{edition}.{revision}"'


def marked(collection_id: str, if_match: str | None, sent: Mapping[str, Any]) -> list[Mark]:
    """The editions that an edit says it was made on: those of its header, else that of the feature it sends back.

    Raises ``EditionMissing`` (428) where neither says one.
    """
    names = WRITTEN[collection_id].mark
    if if_match is not None:
        marks = [Mark(int(a), int(b) if b else None, "header") for a, b in _TAG.findall(if_match)]
        if not marks:
            raise EditionMissing(
                f"If-Match {if_match[:60]!r} names no edition: send the ETag that the item had when you read it."
            )
        return marks
    said = [sent.get(n) for n in names]
    if not said or not _whole(said[0]):
        raise EditionMissing(
            "Say what your edit was made on: If-Match with the ETag that the item had when you read it"
            + (f", or the property {names[0]} of the feature as it was read." if names else ".")
        )
    revision = said[1] if len(said) > 1 and _whole(said[1]) else None
    return [Mark(int(said[0]), None if revision is None else int(revision), "feature")]  # type: ignore[arg-type]


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def checked(
    collection_id: str, sent: Mapping[str, Any], also: Sequence[str] = (), *, whole: bool = True, new: bool = False
) -> dict[str, Any]:
    """The properties that count of those that were sent: what may not be changed is left out, a strange name or value is refused.

    ``also``: further names that are known and left out; ``whole``: what must be there must be in it; ``new``: it is made now.
    """
    written = WRITTEN[collection_id]
    known = {c.name for c in collection(collection_id).columns} | {*written.fields, *written.mark, *also, "id"}
    strange = sorted(set(sent) - known)
    if strange:
        raise InputError(
            f"{collection_id} has no property {str(strange[0])[:40]!r}: what may be sent is {', '.join(written.fields)}."
        )
    needed = [n for n in written.required if new or n not in written.fixed]
    missing = [n for n in needed if sent.get(n) in (None, "") and (whole or n in sent)]
    if missing:
        raise InputError(f"{missing[0]} ({column(collection_id, missing[0]).zh}) is missing: {collection_id} needs it.")
    return {n: _typed(column(collection_id, n), sent[n]) for n in written.fields if n in sent}


def _object(text: str) -> Any:
    """An object that a client without objects sends as text, as GDAL reads it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _typed(one: Column, value: Any) -> Any:
    """A value of the kind of its column; ``InputError`` names what it is not."""
    if value is None:
        return None
    if one.kind == "json" and isinstance(value, str):
        value = _object(value)
    fits = {
        "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and abs(v) < 1e9,
        "json": lambda v: isinstance(v, dict),
    }.get(one.kind, lambda v: isinstance(v, str) and len(v) <= _MAX_TEXT and "\x00" not in v)
    if not fits(value):
        what = {"number": "a number", "json": "an object"}.get(one.kind, f"a text of at most {_MAX_TEXT} characters")
        raise InputError(f"{one.name} ({one.zh}) = {str(value)[:60]!r} is not {what}.")
    if one.choices and value not in one.choices:
        raise InputError(f"{one.name} ({one.zh}) = {str(value)[:60]!r} is none of {', '.join(one.choices)}.")
    return float(value) if one.kind == "number" else value
