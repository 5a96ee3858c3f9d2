"""Features of a collection (要素) on the fast lane: pages, single features, and downloads of a query.

The database writes the JSON of a page; nothing here touches a single feature unless a browser asks for a page to read.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from rivergis import words
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.db.quick import Quick
from rivergis.db.watch import Watch
from rivergis.errors import NotFound, NotPermitted, RivergisError, UsageError
from rivergis.maps.collections import Collection
from rivergis.maps.ogc import ask as ogc_ask
from rivergis.maps.ogc import files as ogc_files
from rivergis.maps.ogc import marks as ogc_marks
from rivergis.maps.ogc import page as ogc_page
from rivergis.maps.ogc import written
from rivergis.maps.ogc.ask import FORMATS, HTML, JSON, SHANGHAI, Wanted
from rivergis.maps.ogc.page import Rows
from rivergis.maps.ogc.places import Extent
from rivergis.maps.ogc.source import Sql, source
from rivergis.patrol import store as patrol_store
from rivergis.web.lane import Answer, Ask, Way
from rivergis.web.ogc import pages as ogc_pages
from rivergis.web.tiles import seen

_ITEMS = r"/ogc/collections/(?P<collection>[a-z_]{1,60})/items"
_ITEM = _ITEMS + r"/(?P<item>[^/]{1,200})"
_PLACES = ("crs", "bbox-crs", "filter-crs")
_PRIVATE = {"cache-control": "private, no-cache", "vary": "Authorization, Cookie, Accept"}


class Items:
    """The features of one service: what is remembered of the state of the collections, and the queries."""

    def __init__(self, watch: Watch, db: Database) -> None:
        self.watch, self.db, self.marks = watch, db, ogc_marks.Memory()
        # tells this run of the service from others: their counts of changes begin anew
        self._run = secrets.token_hex(6)
        self._extents: dict[tuple[str, str], tuple[tuple[int, ...], Extent | None]] = {}

    def ways(self) -> list[Way]:
        return [
            Way(re.compile(_ITEMS), self.query, "items", self.peek),
            Way(re.compile(_ITEM), self.single, "items"),
        ]

    # ---- pages ------------------------------------------------------------------------------------------------------

    def peek(self, ask: Ask) -> Answer | None:
        """304 for who has the page as it still is, without a connection."""
        shown = seen(ask.args["collection"], ask.actor)
        tag = self._tag(ask, shown)
        if tag is not None and tag in _tags(ask):
            return Answer(status=304, headers={"etag": tag, **_PRIVATE}, saw={shown.id: 0})
        return None

    def query(self, ask: Ask, quick: Quick) -> Answer:
        """A page of features, or all that answer as a file."""
        shown = seen(ask.args["collection"], ask.actor)
        tag = self._tag(ask, shown)
        extent = self._extent_for(ask, quick, shown)
        wanted = _wanted(tuple(ask.query), ask.headers.get("accept", ""), shown.id, ask.actor.public, extent, _today())
        found = ogc_page.rows(source(shown.id, ask.actor.public), wanted, ask.actor.area)
        if wanted.form in ogc_ask.FILES:
            return self._file(ask, quick, found, wanted)
        page = self._page(quick, found, wanted)
        self._tell(ask, shown, page.tracks)
        body = _html(ask, shown, wanted, page) if wanted.form == HTML else _geojson(ask, wanted, page)
        return _answer(ask, wanted, body, tag, {shown.id: page.count})

    def _tag(self, ask: Ask, shown: Collection) -> str | None:
        """A mark of this request's answer in the present state; none while nobody tells us of changes."""
        state = self.watch.state(shown.id)
        if not self.watch.alive:
            return None
        asked = (
            self._run, state, ask.path, ask.query, ask.headers.get("accept"), ask.actor.name, ask.actor.area, ask.base, _today(),
        )  # fmt: skip
        return f'W/"{hashlib.blake2b(repr(asked).encode(), digest_size=12).hexdigest()}"'

    def _page(self, quick: Quick, found: Rows, wanted: Wanted) -> _Page:
        behind, skip, total = wanted.after, wanted.offset, None
        if behind is None and skip >= ogc_marks.FAR:
            marks = self._marks(quick, found)
            total = marks.total
            behind, skip = marks.start(skip)
        sql = ogc_page.page(found, wanted, behind, skip)
        count, last, more, text, tracks = _asked(quick, sql)[0]
        if total is None and not more and wanted.after is None and (count or not wanted.offset):
            total = wanted.offset + count
        return _Page(count, last if more else None, total, text or "", tracks or [])

    def _marks(self, quick: Quick, found: Rows) -> ogc_marks.Marks:
        """Where far pages of these rows begin; asked once a state of the collection."""
        state = self.watch.state(found.source.collection.id)
        marks = self.marks.get(found.key, state) if self.watch.alive else None
        if marks is None:
            numbers, total = _asked(quick, ogc_page.places(found, ogc_marks.STEP))[0]
            marks = self.marks.keep(found.key, numbers or (), total, state)
        return marks

    # ---- one feature ------------------------------------------------------------------------------------------------

    def single(self, ask: Ask, quick: Quick) -> Answer:
        """One feature in force today, with the mark that an edit of it must name."""
        shown = seen(ask.args["collection"], ask.actor)
        rows_of = source(shown.id, ask.actor.public)
        wanted = ogc_ask.item(
            ask.query, ask.headers.get("accept", ""), rows_of, self._extent_for(ask, quick, shown), _today()
        )
        ident = ask.args["item"]
        keys = _ident(ident, rows_of.several)
        mark = written.tag_sql(shown.id) if shown.id in written.WRITTEN else "NULL"
        sql = ogc_page.one(rows_of, wanted, ask.actor.area, mark)
        found = _asked(quick, Sql(sql.text, {**sql.params, **keys})) if keys else []
        if not found:
            raise NotFound(f"{shown.id} has no item {ident[:80]!r} that is in force today.")
        text, said, track = found[0]
        self._tell(ask, shown, [track] if track else [])
        body = (
            _html(ask, shown, wanted, _Page(1, None, 1, text, []), ident)
            if wanted.form == HTML
            else _one(ask, shown, wanted, text)
        )
        tag = _mark(said, wanted, ask) if said else f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        return _answer(ask, wanted, body, tag, {shown.id: 1})

    # ---- downloads --------------------------------------------------------------------------------------------------

    def _file(self, ask: Ask, quick: Quick, found: Rows, wanted: Wanted) -> Answer:
        """All features that answer, as a file; CSV as it is read, the others when they are whole."""
        if "export" not in ask.actor.capabilities:
            needed = words.both("capability.export")
            raise NotPermitted(words.both("sentence.lacks", name=ask.actor.name, capability=needed))
        shown, told = found.source.collection, ogc_files.Told()
        name = f"{shown.id}_{min(wanted.days.last, _today())}.{wanted.form}"
        headers = {"content-disposition": f'attachment; filename="{name}"', **_PRIVATE}
        if ask.method == "HEAD":
            return Answer(b"", FORMATS[wanted.form], headers=headers, saw={shown.id: 0})
        with _computed():
            if wanted.form == "csv":
                lots = ogc_files.lines(quick.stream, found, wanted, told)
                # what is wrong with a filter comes out with the first rows, while there is time to say so
                body: Iterator[bytes] = itertools.chain(list(itertools.islice(lots, 3)), lots)
            else:
                made = ogc_files.made(quick.stream, found, wanted, told)
                headers["content-length"] = str(made.size)
                body = made.lots()
        return Answer(self._written(ask, shown, body, told, wanted), FORMATS[wanted.form], headers=headers,
                      saw={shown.id: told.count}, action="export")  # fmt: skip

    def _written(
        self, ask: Ask, shown: Collection, lots: Iterator[bytes], told: ogc_files.Told, wanted: Wanted
    ) -> Iterator[bytes]:
        """The file, and at its end (or where it was broken off) a line in the audit."""
        try:
            yield from lots
        finally:
            asked = {k: v[:1000] for k, v in wanted.query}
            with self.db.write(ask.actor.name) as conn:
                detail = {"count": told.count, "area": ask.actor.area, "format": wanted.form, "asked": asked}
                system.audit(conn, ask.actor.name, "export", f"ogc:{shown.id}", detail)
                if told.tracks:
                    patrol_store.saw_all(conn, told.tracks, ask.actor.name, f"export: {shown.id}")

    # ---- who saw what, and where things lie --------------------------------------------------------------------------

    def _tell(self, ask: Ask, shown: Collection, tracks: Sequence[uuid.UUID]) -> None:
        """Every look at persons stands in the audit, and whoever is shown may ask who saw the track."""
        if shown.personal:
            with self.db.write(ask.actor.name) as conn:
                system.audit(conn, ask.actor.name, "view", f"patrols:ogc {shown.id}", {"asked": dict(ask.query)})
                if tracks:
                    patrol_store.saw_all(conn, tracks, ask.actor.name, f"map service: {shown.id}")

    def _extent_for(self, ask: Ask, quick: Quick, shown: Collection) -> Extent | None:
        return self.extent(quick, shown, ask.actor.area) if any(n in _PLACES for n, _ in ask.query) else None

    def extent(self, quick: Quick, shown: Collection, area: str) -> Extent | None:
        """Where a collection lies for somebody of an area, in degrees; none for an empty one."""
        state = self.watch.state(shown.id, "admin_unit")
        known = self._extents.get((shown.id, area))
        if known is None or known[0] != state or not self.watch.alive:
            sql = ogc_page.extent(shown, bool(area))
            west, south, east, north = _asked(quick, Sql(sql, {"area": area} if area else {}))[0]
            known = (state, None if west is None else (west, south, east, north))
            self._extents[shown.id, area] = known
        return known[1]


class _Page:
    """What the database said of a page: ``behind`` is the row the next one goes on behind, if there is one."""

    def __init__(
        self, count: int, behind: int | None, total: int | None, text: str, tracks: Sequence[uuid.UUID]
    ) -> None:
        self.count, self.behind, self.total, self.text, self.tracks = count, behind, total, text, tracks


def _today() -> date:
    return datetime.now(SHANGHAI).date()


@contextmanager
def _computed() -> Iterator[None]:
    """What a filter asks that cannot be computed is a ``UsageError``."""
    try:
        yield
    except RivergisError:
        raise
    except Exception as error:
        # class 22: numbers and texts out of range; XX000: shapes that GEOS cannot compare
        state = str(getattr(error, "pgcode", None) or "")
        if state.startswith("22") or state == "XX000":
            raise UsageError(f"The filter cannot be computed: {str(error).splitlines()[0][:200]}.") from error
        raise


def _asked(quick: Quick, sql: Sql) -> list[tuple[Any, ...]]:
    """The rows of a statement; prepared where it is a steady one, else planned for its values."""
    with _computed():
        if not sql.steady:
            return quick.once(sql.percent(), dict(sql.params))
        text, types, values = sql.numbered()
        return quick.rows(f"ogc_{hashlib.blake2b(text.encode(), digest_size=10).hexdigest()}", text, types, values)


def _ident(text: str, several: bool) -> dict[str, Any]:
    """An id of a feature as parameters; empty where it can be none."""
    head, dot, rest = text.partition(".")
    if bool(dot) != several or (several and not re.fullmatch(r"[0-9]{1,9}", rest)):
        return {}
    try:
        return {"id": str(uuid.UUID(head)), **({"version": int(rest)} if several else {})}
    except ValueError:
        return {}


def _tags(ask: Ask) -> list[str]:
    return [tag.strip() for tag in ask.headers.get("if-none-match", "").split(",")]


def _mark(said: str, wanted: Wanted, ask: Ask) -> str:
    """The mark of a state, told apart for each way in which it is shown."""
    plain = wanted.form == JSON and not wanted.narrowed and wanted.place.uri.endswith("CRS84")
    way = hashlib.blake2b(repr((wanted.form, wanted.place.uri, wanted.query)).encode(), digest_size=4).hexdigest()
    return said if plain else f'{said[:-1]};{way}"'


def _answer(ask: Ask, wanted: Wanted, body: bytes, tag: str | None, saw: Mapping[str, int]) -> Answer:
    tag = tag or f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "content-crs": f"<{wanted.place.uri}>", **_PRIVATE}
    if tag in _tags(ask):
        return Answer(status=304, headers=headers, saw=saw)
    media = FORMATS[wanted.form] + ("; charset=utf-8" if wanted.form == HTML else "")
    return Answer(body, media, headers=headers, saw=saw)


@lru_cache(maxsize=512)
def _wanted(
    query: tuple[tuple[str, str], ...], accept: str, name: str, public: bool, extent: Extent | None, today: date
) -> Wanted:
    """A request as it was read: the same one comes again and again (a layer that is drawn once more)."""
    return ogc_ask.items(query, accept, source(name, public), extent, today)


@lru_cache(maxsize=512)
def _addresses(here: str, query: tuple[tuple[str, str], ...]) -> tuple[str, str, str]:
    """An address as JSON, as a page to read, and where its next page is (but for the place)."""
    kept = [(k, v) for k, v in query if k != "f"]
    onward = urlencode([(k, v) for k, v in query if k not in ("offset", "after")])
    return (
        f"{here}?{urlencode([*kept, ('f', JSON)])}",
        f"{here}?{urlencode([*kept, ('f', HTML)])}",
        f"{here}?{onward}{'&' * bool(onward)}after=",
    )


def _links(ask: Ask, wanted: Wanted, page: _Page) -> list[dict[str, str]]:
    here = f"{ask.base}{quote(ask.path)}"
    as_json, as_page, onward = _addresses(here, wanted.query)
    links = [
        {"rel": "self", "type": FORMATS[JSON], "title": "GeoJSON", "href": as_json},
        {"rel": "alternate", "type": FORMATS[HTML], "title": "HTML", "href": as_page},
        {
            "rel": "collection",
            "type": "application/json",
            "title": "集合 collection",
            "href": here.partition("/items")[0],
        },
    ]
    if page.behind is not None:
        next_page = f"{onward}{ogc_ask.mark(page.behind)}"
        links.append({"rel": "next", "type": FORMATS[wanted.form], "title": "下一页 next", "href": next_page})
    return links


def _geojson(ask: Ask, wanted: Wanted, page: _Page) -> bytes:
    told: dict[str, Any] = {
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **({} if page.total is None else {"numberMatched": page.total}),
        "numberReturned": page.count,
        "links": _links(ask, wanted, page),
    }
    tail = json.dumps(told, ensure_ascii=False)[1:]
    return b"".join((b'{"type":"FeatureCollection","features":[\n', page.text.encode(), b"\n],", tail.encode()))


def _one(ask: Ask, shown: Collection, wanted: Wanted, text: str) -> bytes:
    links = json.dumps(_links(ask, wanted, _Page(1, None, 1, "", [])), ensure_ascii=False)
    return f'{text[:-1]},"links":{links}}}'.encode()


def _html(ask: Ask, shown: Collection, wanted: Wanted, page: _Page, ident: str | None = None) -> bytes:
    return ogc_pages.features(
        ask.actor, shown, wanted, json.loads(f"[{page.text}]"), total=page.total, ident=ident, path=ask.path,
        links=_links(ask, wanted, page), files=_files(ask, wanted),
    ).encode()  # fmt: skip


def _files(ask: Ask, wanted: Wanted) -> dict[str, str]:
    """Where all features that answer are had as files."""
    asked = urlencode([(k, v) for k, v in wanted.query if k not in ("f", "after", "offset", "limit")])
    return {f: f"{ask.base}{quote(ask.path)}?f={f}{'&' * bool(asked)}{asked}" for f in ogc_ask.FILES}
