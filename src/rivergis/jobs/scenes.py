"""Copies of scenes for tiles (影像切片准备): made at the import, at the first look, or for all by command."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, InputError, NotFound, NotReady, RivergisError
from rivergis.intake import cog
from rivergis.maps.imagery import scenes as imagery
from rivergis.maps.imagery.scenes import Scene

AT_ONCE_PIXELS = 40_000_000
"""A scene of no more pixels (times bands) is made ready while somebody waits for its first tile: some seconds."""


@dataclass(frozen=True)
class Made:
    """What became of one scene: ready (was so before), made, or why not."""

    code: str
    state: str
    why: str = ""


def kept_file(store: Path, scene: Scene) -> Path:
    """The file of a scene in the store; ``NotFound`` where it is gone or its place lies elsewhere."""
    folder = (store / "imagery").resolve()
    file = (store / scene.file_path).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        raise NotFound("The file of this scene is not in the store any more.")
    return file


def ready(store: Path, scene: Scene, at_once: bool = False) -> Path:
    """The copy of a scene that tiles are read from, made now where it is not there and the scene is small.

    ``NotReady`` names the command for a large scene that nobody made ready (never with ``at_once``).
    """
    kept = kept_file(store, scene)
    target = cog.beside(kept)
    if not target.is_file():
        if not at_once and _pixels(kept) > AT_ONCE_PIXELS:
            raise NotReady(
                f"The scene {scene.code} is not ready for tiles yet: run 'rivergis imagery prepare' where the service runs."
            )
        _make_once(kept, target, scene.source_crs)
    return target


def _pixels(kept: Path) -> int:
    try:
        with rasterio.open(kept) as image:
            return int(image.width * image.height * image.count)
    except RasterioError as error:
        raise InputError("The file of this scene is damaged: import it again.") from error


def _make_once(kept: Path, target: Path, system: str) -> None:
    """Make the copy; who comes meanwhile, in whatever process, waits and takes the same one."""
    try:
        lock = os.open(kept.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise EnvironmentFault(
            f"{kept.parent} cannot be written ({error.strerror}): check the folder's owner."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_file():
            cog.make(kept, target, system)
    finally:
        os.close(lock)
        kept.with_suffix(".lock").unlink(missing_ok=True)


def state(store: Path, scene: Scene) -> str:
    """ready, waiting (no copy for tiles yet) or missing (the file is not in the store)."""
    try:
        return "ready" if cog.beside(kept_file(store, scene)).is_file() else "waiting"
    except NotFound:
        return "missing"


def prepare(db: Database, store: Path, progress: Callable[[str], None] = lambda _: None) -> list[Made]:
    """Make all scenes of a database ready for tiles; one that cannot be is told and does not stop the others."""
    with db.read() as conn:
        scenes = imagery.scenes(conn)
    return [_prepared(store, scene, progress) for scene in scenes]


def _prepared(store: Path, scene: Scene, progress: Callable[[str], None]) -> Made:
    try:
        if cog.beside(kept_file(store, scene)).is_file():
            return Made(scene.code, "ready")
        progress(scene.code)
        ready(store, scene, at_once=True)
    except RivergisError as error:
        return Made(scene.code, "failed", error.sentence)
    return Made(scene.code, "made")
