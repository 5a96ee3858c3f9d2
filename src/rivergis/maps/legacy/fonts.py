"""A font for map pictures (图件字体): one that writes Chinese as it is written in China.

MapServer opens the first face of a font collection; that of Noto's is Japanese, which writes some characters otherwise. The
face for simplified Chinese is taken out of the collection once and kept with the data.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import uuid
from functools import lru_cache
from pathlib import Path

log = logging.getLogger("rivergis.maps")
_WANTED = "Noto Sans CJK SC:lang=zh-cn"
_SIGN = 0x6CB3  # 河


@lru_cache(maxsize=4)
def chinese(folder: Path) -> Path | None:
    """A font file for Chinese, kept in ``folder`` where it had to be taken out of a collection; None where there is none."""
    found = _matched()
    if found is None:
        log.warning("No Chinese font is installed (Debian: fonts-noto-cjk): pictures of the old services have no text.")
        return None
    file, face = found
    if file.suffix.lower() not in (".ttc", ".otc"):
        return file
    target = folder / f"{file.stem}-{face}.otf"
    if not target.is_file():
        _take_out(file, face, target)
    return target


def _matched() -> tuple[Path, int] | None:
    """File and face that the system would write Chinese with, if it can."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    if shutil.which("fc-match") is None:
        return None
    said = subprocess.run(
        ["fc-match", "-f", "%{file}\n%{index}", _WANTED], capture_output=True, text=True, timeout=20, check=False
    ).stdout.splitlines()
    if len(said) != 2 or not Path(said[0]).is_file():
        return None
    file, face = Path(said[0]), int(said[1]) & 0xFFFF
    with TTFont(file, fontNumber=face, lazy=True) as font:
        return (file, face) if _SIGN in font.getBestCmap() else None


def _take_out(file: Path, face: int, target: Path) -> None:
    from fontTools.ttLib import TTFont

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.part")
    with TTFont(file, fontNumber=face, lazy=True) as font:
        font.save(part)
    part.replace(target)
