"""Imagery before and after under the lines and leads of a day (影像前后对比): tiles of the service, with a slider between two scenes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from rivergis import words
from rivergis.errors import NotFound, UsageError
from rivergis.maps import features, leads, sheet_layers, sheets
from rivergis.maps.imagery import scenes as imagery
from rivergis.maps.imagery.scenes import Scene
from rivergis.maps.marks import Picture
from rivergis.maps.sheets import Sheet, Titled

GROUND = ("boundary_line", "reach", "levee", "outfall")
ROLES = ("before", "after")


def page(conn: Connection, sheet: Sheet, before: str | None, after: str | None) -> str:
    """HTML of the map of two scenes, by code or id (default: the last one and the one before it), with lines and leads on top.

    ``NotFound`` where there are not two scenes, or not those; ``UsageError`` for a file, which has no service to ask.
    """
    if not sheet.served:
        raise UsageError("Imagery comes as tiles of the service: open /maps/imagery there.")
    chosen = _chosen(imagery.scenes(conn), before, after)
    at = features.when(conn)
    own = {"finding": leads.standing(conn, at).head(sheets.NIGHT_LEADS)}
    layers = sheet_layers.gather(conn, GROUND, at, served=True, own=own)
    name = " → ".join(s.title for s in chosen)
    pictures = [_picture(s, role) for s, role in zip(chosen, ROLES, strict=True)]
    return sheets.draw(
        conn, sheet, Titled("imagery", name), at, layers, drafts=features.has_drafts(conn, at), focus=_box(chosen),
        listed="finding", pictures=pictures,
    )  # fmt: skip


def _chosen(scenes: list[Scene], before: str | None, after: str | None) -> tuple[Scene, Scene]:
    """The two scenes, newest first in ``scenes``."""
    if len(scenes) < 2:
        raise NotFound(words.both("sheet.too_few_scenes"))
    later = _named(scenes, after) if after else scenes[0]
    older = [s for s in scenes if s.id != later.id and s.taken_on <= later.taken_on] or [
        s for s in scenes if s.id != later.id
    ]
    return (_named(scenes, before) if before else older[0]), later


def _named(scenes: list[Scene], asked: str) -> Scene:
    for scene in scenes:
        if asked in (scene.code, str(scene.id)):
            return scene
    raise NotFound(f"There is no scene {asked!r}: see /imagery for those there are.")


def _picture(scene: Scene, role: str) -> Picture:
    url = f"/imagery/{scene.id}/{{z}}/{{x}}/{{y}}.png"
    zh, en = words.pair(f"sheet.{role}")
    return Picture(f"{zh} {scene.taken_on}", f"{en} {scene.taken_on}", url, *scene.box, role=role)


def _box(scenes: tuple[Scene, Scene]) -> Any:
    """The ground that both show, or else that of the later one."""
    (w1, s1, e1, n1), (w2, s2, e2, n2) = (s.box for s in scenes)
    both = (max(w1, w2), max(s1, s2), min(e1, e2), min(n1, n2))
    return both if both[0] < both[2] and both[1] < both[3] else scenes[1].box
