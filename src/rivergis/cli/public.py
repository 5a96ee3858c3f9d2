"""``rivergis public``: what the public part of the service shows, before it is shown."""

from __future__ import annotations

import click

from rivergis.cli import common


@click.command("public")
@common.json_option
def command(as_json: bool) -> None:
    """What strangers see while RIVERGIS_PUBLIC names a review number (审图号): collections, columns, rows. Changes nothing.

    \b
    Example:
      RIVERGIS_PUBLIC='渝S(2026)001号' rivergis public
    """
    from rivergis.maps.collections import COLLECTIONS

    number = common.settings().public
    shown = [c for c in COLLECTIONS.values() if c.public]
    if as_json:
        told = [{"collection": c.id, "columns": c.public, "only": c.public_only} for c in shown]
        common.emit({"review_number": number, "shown": told}, True)
        return
    click.echo(f"公开 public: {f'审图号 {number}' if number else '未开启 off (RIVERGIS_PUBLIC)'}")
    common.table(
        ("图层 collection", "字段 columns", "仅限 only"),
        [(f"{c.zh} {c.id}", ", ".join(c.public), " = ".join(c.public_only) if c.public_only else "") for c in shown],
    )
