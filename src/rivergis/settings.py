"""Settings: read from the environment once, at the edges (jobs, web, cli), and passed down as arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rivergis.errors import UsageError

_MAX = "RIVERGIS_MAX_"
PACKAGE_DIR = Path(__file__).resolve().parent


def gis_dir() -> Path:
    """The folder of SQL, rules, styles and texts: inside the wheel, or ``gis/`` at the root of a checkout."""
    packed = PACKAGE_DIR / "gis"
    return packed if packed.is_dir() else PACKAGE_DIR.parents[1] / "gis"


@dataclass(frozen=True)
class Settings:
    """What a deployment may set; every field has an environment variable ``RIVERGIS_<FIELD>``."""

    database_url: str | None
    """Existing PostgreSQL server (``postgresql://...``); none: the private cluster in ``data_dir``."""
    database: str
    """Name of the database inside the private cluster."""
    data_dir: Path
    """Private cluster, raw track files, evidence, reports."""
    rules_dir: Path
    """Layered rule files."""
    host: str
    port: int
    actor: str | None
    """Default for ``--as``."""
    lang: str
    """``zh`` or ``en``: language of messages and reports (pages show both)."""
    max_limits: Mapping[str, int] = field(default_factory=dict)
    """Limits against hostile files that differ from the defaults: ``RIVERGIS_MAX_SECONDS`` -> ``seconds`` (see intake/limits.py)."""

    @property
    def store_dir(self) -> Path:
        """Files kept for good (raw tracks, imagery, evidence), named by content hash, beside the database."""
        return self.data_dir / "store" / self.database

    @property
    def report_dir(self) -> Path:
        return self.data_dir / "reports" / self.database


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``env`` (by default the process environment); nothing is created. ``UsageError`` for a bad number."""
    env = os.environ if env is None else env
    home = Path(env.get("XDG_DATA_HOME") or Path(env.get("HOME", "/")) / ".local" / "share")
    return Settings(
        database_url=env.get("RIVERGIS_DATABASE_URL") or None,
        database=env.get("RIVERGIS_DATABASE") or "rivergis",
        data_dir=Path(env.get("RIVERGIS_DATA_DIR") or home / "rivergis"),
        rules_dir=Path(env.get("RIVERGIS_RULES_DIR") or gis_dir() / "rules"),
        host=env.get("RIVERGIS_HOST") or "127.0.0.1",
        port=_whole("RIVERGIS_PORT", env.get("RIVERGIS_PORT") or "8000", least=0),
        actor=env.get("RIVERGIS_ACTOR") or None,
        lang=env.get("RIVERGIS_LANG") or "zh",
        max_limits={k.removeprefix(_MAX).lower(): _whole(k, v) for k, v in env.items() if k.startswith(_MAX) and v},
    )


def _whole(name: str, text: str, least: int = 1) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()) or int(text) < least:
        raise UsageError(f"{name} is {text[:40]!r}: it must be a whole number, at least {least}.")
    return int(text)
