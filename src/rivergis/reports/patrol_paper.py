"""Printed matter on patrols: a title, what it rests on, tables and a drawing, as workbook, page, PDF or JSON.

Equal facts give equal bytes: the only moment on a paper is the one up to which knowledge counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from rivergis import __version__, words
from rivergis.errors import EnvironmentFault, UsageError, legible
from rivergis.reports import morning, workbook
from rivergis.reports.writing import whole

SHANGHAI = ZoneInfo("Asia/Shanghai")
ENDINGS = (".xlsx", ".html", ".pdf", ".json")
GROUP = "patrol_report"
SHOWN_ROWS = 400
"""A page stays readable and a PDF printable; the rest is counted and stands in the workbook."""
LONGEST = 80


class Linked(int):
    """A figure that leads to the rows it is made of: a number everywhere, on a page a link to ``href``."""

    href: str

    @classmethod
    def to(cls, value: int, href: str) -> Linked:
        figure = cls(value)
        figure.href = href
        return figure


@dataclass(frozen=True)
class Table:
    """One table: key of its title (``table_KEY``), keys of its headings, rows as shown, and a sentence above it if any.

    ``block``: tables of one block stand together under its heading, so that 达标 and 覆盖情况(参考) never mix. ``anchors``: names
    of rows that figures lead to, one a row, or none at all.
    """

    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    block: str
    note: str | None = None
    anchors: Sequence[str] = ()

    @property
    def title(self) -> str:
        return words.both(f"{GROUP}.table_{self.key}")


@dataclass(frozen=True)
class Paper:
    """A paper: titles, the facts it rests on (``about``: words and value), tiles, tables, rules; ``drawing`` is SVG of our own."""

    title_zh: str
    title_en: str
    known_at: datetime
    about: Sequence[tuple[str, Any]]
    tables: Sequence[Table]
    tiles: Sequence[tuple[str, Any]] = ()
    rules: Sequence[dict[str, Any]] = ()
    drawing: str | None = None
    drawing_note: str | None = None
    unconfirmed: Sequence[str] = ()
    """Names of rules that nobody has confirmed."""
    demo: bool = False
    figures: dict[str, Any] = field(default_factory=dict)
    prose: Sequence[tuple[str, Sequence[Sequence[str | Linked]]]] = ()
    """What is said in sentences before the tables: heading and paragraphs, each of words and figures."""
    footer: str = "footer"
    """Key of the sentence at its foot."""

    @property
    def printed_at(self) -> str:
        """The moment up to which knowledge counted, in Beijing time; it is the date of print."""
        return self.known_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def check(path: Path | None, more: Sequence[str] = ()) -> None:
    """Before long work: ``UsageError`` for an ending that no paper has, ``EnvironmentFault`` for a missing folder."""
    if path is None:
        return
    if path.suffix.lower() not in (*ENDINGS, *more):
        raise UsageError(f"{path.name}: write to a name that ends in {', '.join((*ENDINGS, *more))}.")
    if not path.absolute().parent.is_dir():
        raise EnvironmentFault(f"{path} cannot be written: there is no folder {path.parent}.")


def write(paper: Paper, path: Path) -> None:
    """Write a paper by its ending, whole or not at all."""
    make: dict[str, Callable[[Paper, Path], Any]] = {
        ".xlsx": _write_book,
        ".html": lambda p, at: at.write_text(render(p), encoding="utf-8"),
        ".pdf": lambda p, at: at.write_bytes(pdf(render(p))),
        ".json": lambda p, at: at.write_text(
            legible(json.dumps(as_json(p), ensure_ascii=False, indent=1, default=str), keep="\n"), encoding="utf-8"
        ),
    }
    check(path)
    with whole(path) as part:
        make[path.suffix.lower()](paper, part)


def heading(column: str) -> str:
    """Heading of a column, Chinese first, with its unit."""
    return words.both(f"{GROUP}.{column}")


def as_json(paper: Paper) -> dict[str, Any]:
    """The paper as JSON-ready data: tables as rows by the keys of their columns."""
    tables = {t.key: [dict(zip(t.columns, row, strict=True)) for row in t.rows] for t in paper.tables}
    head = {"title": paper.title_zh, "known_at": paper.known_at.isoformat(), "about": dict(paper.about)}
    return head | {
        "figures": paper.figures,
        "tables": tables,
        "rules": list(paper.rules),
        "unconfirmed": list(paper.unconfirmed),
    }


def _write_book(paper: Paper, path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    if paper.prose:
        told = [(title, "".join(str(p) for p in parts)) for title, body in paper.prose for parts in body]
        workbook.add_table(
            book, words.say(f"{GROUP}.table_prose"), [heading("prose_part"), heading("prose_text")], told
        )
    for table in paper.tables:
        name = words.say(f"{GROUP}.table_{table.key}")
        workbook.add_table(book, name[:31], [heading(c) for c in table.columns], table.rows)
    head = [heading(c) for c in ("item", "value", "unit_of", "rule_status", "rule_basis")]
    rows: list[Sequence[Any]] = [(k, str(v), None, None, None) for k, v in _about(paper)]
    rows += [(_rule_name(r), _value(r), r["unit"], _status(r), r["basis"]) for r in paper.rules]
    rows += [(words.both(f"{GROUP}.unconfirmed"), name, None, None, None) for name in paper.unconfirmed]
    workbook.add_table(book, words.say(f"{GROUP}.table_about"), head, rows)
    workbook.write_fixed(book, path, paper.known_at)


def workbook_bytes(paper: Paper) -> bytes:
    """The workbook of a paper as it is sent."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "paper.xlsx"
        _write_book(paper, path)
        return path.read_bytes()


def _about(paper: Paper) -> list[tuple[str, Any]]:
    stamp = [(words.both(f"{GROUP}.note"), words.both("page.demo"))] if paper.demo else []
    title = (words.both(f"{GROUP}.title"), f"{paper.title_zh} {paper.title_en}")
    made = (words.both(f"{GROUP}.known_at"), f"{paper.printed_at} (rivergis {__version__})")
    return [title, *stamp, *paper.about, made]


def _rule_name(rule: dict[str, Any]) -> str:
    return f"{words.both('rule_key.' + rule['key'])} [{rule['key']}]"


def _value(rule: dict[str, Any]) -> str:
    """The value of a rule as text; a long one is a table and stands in the rule book."""
    told = rule["value"] if isinstance(rule["value"], str) else json.dumps(rule["value"], ensure_ascii=False)
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"


def _status(rule: dict[str, Any]) -> str:
    return words.both(f"rule_status.{rule['status']}")


def render(paper: Paper, *, back: str | None = None) -> str:
    """The paper as one page that asks nothing of any other machine; ``back``: way back into the service."""
    return _filled("patrol_paper.html", paper, back=back)


def under(paper: Paper) -> str:
    """The tables of a paper as they stand under a map (``LocalMap.below``)."""
    return _filled("patrol_tables.html", paper)


def _filled(template: str, paper: Paper, **more: Any) -> str:
    blocks: dict[str, list[dict[str, Any]]] = {}
    for t in paper.tables:
        head = [(*words.pair(f"{GROUP}.{c}"), _numeric(t, i)) for i, c in enumerate(t.columns)]
        shown = {"key": t.key, "title": words.pair(f"{GROUP}.table_{t.key}"), "head": head, "note": t.note}
        names = [*t.anchors[:SHOWN_ROWS], *[""] * SHOWN_ROWS]
        rows = list(zip(names, t.rows[:SHOWN_ROWS], strict=False))
        blocks.setdefault(t.block, []).append(shown | {"rows": rows, "total": len(t.rows)})
    told = [(b, words.pair(f"{GROUP}.block_{b}"), tables) for b, tables in blocks.items()]
    page = morning.environment().get_template(template)
    return page.render(
        paper=paper,
        blocks=told,
        about=_about(paper),
        rule_name=_rule_name,
        value=_value,
        status=_status,
        shown=SHOWN_ROWS,
        **more,
    )


def _numeric(table: Table, column: int) -> bool:
    return any(isinstance(row[column], (int, float)) for row in table.rows[:SHOWN_ROWS])


def pdf(page: str) -> bytes:
    """A page as PDF; nothing is fetched from anywhere for it but what is written into the page itself."""
    import weasyprint  # type: ignore[import-untyped]
    from weasyprint.urls import FatalURLFetchingError, URLFetcher  # type: ignore[import-untyped]

    within = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    try:
        return bytes(weasyprint.HTML(string=page, url_fetcher=within).write_pdf())
    except FatalURLFetchingError as error:
        raise EnvironmentFault(f"The paper would have to fetch something; it may not ({str(error)[:120]}).") from error
