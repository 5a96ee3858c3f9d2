"""``rivergis encroachment canonical``: the ledger as bytes that can be compared."""

from __future__ import annotations

from pathlib import Path

import click

from rivergis.cli import common


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="JSON lines to write (default: only the hash)."
)
@common.json_option
def canonical(out: Path | None, as_json: bool) -> None:
    """Leads, sightings, verdicts and events as sorted JSON lines without clock times; prints their sha256.

    Two databases that were given the same things print the same hash, however often a night was stopped and taken up again.

    \b
    Example:
      rivergis encroachment canonical --out ledger.jsonl
    """
    from rivergis.encroachment import canonical_files

    with common.database().read() as conn:
        done = canonical_files.write(conn, out)
    if as_json:
        common.emit(done, True)
        return
    click.echo(done.sha256)
    click.echo(", ".join(f"{name} {count}" for name, count in done.records.items()), err=True)


COMMANDS: tuple[click.Command, ...] = (canonical,)
