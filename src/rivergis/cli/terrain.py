"""``rivergis terrain``: where water runs on a DEM, and what lies low beside it."""

from __future__ import annotations

import click


@click.group("terrain")
def command() -> None:
    """Terrain (数字高程模型): where does the water run, and how high above the river does the land lie?"""
