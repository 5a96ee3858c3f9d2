"""整改报告 as a document that people go on writing: headings, sentences and tables of a paper as .docx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rivergis import words
from rivergis.errors import legible
from rivergis.reports.patrol_paper import GROUP, Paper, Table, heading
from rivergis.reports.writing import whole

FONT = "宋体"
ROWS = 300  # a document stays one that people edit; the rest is counted and stands in the workbook


def write(paper: Paper, path: Path) -> None:
    """Write a paper as .docx, whole or not at all."""
    import docx
    from docx.enum.section import WD_ORIENT
    from docx.oxml.ns import qn
    from docx.shared import Pt

    document = docx.Document()
    style = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), FONT)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    document.add_heading(legible(paper.title_zh), 0)
    if paper.demo:
        document.add_paragraph(words.both("page.demo"))
    for title, paragraphs in paper.prose:
        document.add_heading(title, 1)
        for parts in paragraphs:
            document.add_paragraph(legible("".join(str(p) for p in parts)))
    for told in paper.tables:
        _table(document, told)
    document.add_heading(words.say(f"{GROUP}.table_about"), 1)
    for name, value in paper.about:
        document.add_paragraph(legible(f"{name}: {value}"))
    document.add_paragraph(words.both(f"{GROUP}.{paper.footer}"))
    moment = paper.known_at.replace(tzinfo=None, microsecond=0)
    document.core_properties.created = document.core_properties.modified = moment
    with whole(path) as part:
        document.save(str(part))


def _table(document: Any, told: Table) -> None:
    document.add_heading(told.title, 2)
    if told.note:
        document.add_paragraph(told.note)
    if not told.rows:
        document.add_paragraph(words.both(f"{GROUP}.nothing"))
        return
    grid = document.add_table(1, len(told.columns), style="Table Grid")
    for cell, column in zip(grid.rows[0].cells, told.columns, strict=True):
        cell.text = heading(column)
    for row in told.rows[:ROWS]:
        for cell, value in zip(grid.add_row().cells, row, strict=True):
            cell.text = "" if value is None else legible(str(value))
    if len(told.rows) > ROWS:
        document.add_paragraph(words.both(f"{GROUP}.not_shown", n=len(told.rows) - ROWS))
