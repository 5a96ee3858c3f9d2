"""晨报, the morning report: one self-contained HTML page of what the night found, and what it did not tell and why."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from rivergis import words
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, NotFound
from rivergis.reports import book
from rivergis.settings import gis_dir


def environment() -> Environment:
    """Templates of ``gis/pages``, with every value escaped and the catalogue of words at hand."""
    env = Environment(
        loader=FileSystemLoader(gis_dir() / "pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(
        words=words.both, say=words.say, style=(gis_dir() / "pages" / "style.css").read_text(encoding="utf-8")
    )
    return env


def path_of_night(report_dir: Path, night: date) -> Path:
    return report_dir / f"night-{night}.html"


def render(night: book.Night, *, standalone: bool = True, tracks: bool = True, review: bool = True) -> str:
    """The page; ``standalone`` leaves out links into the service, ``tracks=False`` patrols of named people, ``review=False`` how
    many tracks are to be verified."""
    if night.run is None:
        raise NotFound(f"No night was run for {night.night}: run it with 'rivergis nightly run --date {night.night}'.")
    template = environment().get_template("morning.html")
    return template.render(n=night, standalone=standalone, tracks=tracks, may_review=review, shown=book.SHOWN_ROWS)


def write(db: Database, night: date, report_dir: Path, store_dir: Path) -> Path:
    """Write the report of a night into the report folder by way of a temporary name; returns its path."""
    with db.read() as conn:
        page = render(book.night(conn, night, store_dir))
    path = path_of_night(report_dir, night)
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise EnvironmentFault(
            f"The report cannot be written to {path.parent} ({error.strerror}); the night itself is recorded: free some space and run it again."
        ) from error
    return path
