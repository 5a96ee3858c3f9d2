"""Settings: read from the environment once, at the edges (jobs, web, cli), and passed down as arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rivergis.errors import UsageError

_MAX = "RIVERGIS_MAX_"
_PORTS = {"starttls": 587, "tls": 465, "none": 25}  # usual ports of mail, by how it is secured
PACKAGE_DIR = Path(__file__).resolve().parent


def gis_dir() -> Path:
    """The folder of SQL, rules, styles and texts: inside the wheel, or ``gis/`` at the root of a checkout."""
    packed = PACKAGE_DIR / "gis"
    return packed if packed.is_dir() else PACKAGE_DIR.parents[1] / "gis"


@dataclass(frozen=True)
class Notices:
    """Where the news of a night go (通知): a webhook, and mail by SMTP; nothing is sent where neither is set."""

    webhook: str | None = None
    """``RIVERGIS_NOTICE_WEBHOOK``: http or https address that gets the figures as JSON."""
    secret: str | None = field(default=None, repr=False)
    """``RIVERGIS_NOTICE_SECRET``: signs what the webhook gets (HMAC-SHA256)."""
    mail_to: tuple[str, ...] = ()
    """``RIVERGIS_NOTICE_MAIL_TO``: addresses, with commas between."""
    mail_from: str | None = None
    smtp_host: str | None = None
    """``RIVERGIS_SMTP_HOST``, ``_PORT``, ``_SECURITY`` (starttls, tls or none), ``_USER``, ``_PASSWORD``."""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    base_url: str | None = None
    """``RIVERGIS_BASE_URL``: address of this service as readers reach it, for the links in a notice."""


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
    feed_settle_s: int = 120
    """Seconds that a file must lie unchanged in the folder of a feed before it is taken in."""
    max_limits: Mapping[str, int] = field(default_factory=dict)
    """Limits against hostile files that differ from the defaults: ``RIVERGIS_MAX_SECONDS`` -> ``seconds`` (see intake/limits.py)."""
    notices: Notices = field(default_factory=Notices)
    """Where the news of a night go."""
    writes: bool = False
    """``RIVERGIS_WRITES=on``: drafts, candidates and reports may be changed through the OGC API by whoever may change them."""
    public: str | None = None
    """``RIVERGIS_PUBLIC``: 审图号 under which the public part is shown to whoever asks; none: everybody signs in."""
    cors_origins: tuple[str, ...] = ()
    """``RIVERGIS_CORS_ORIGINS``: other sites whose pages may read from here, with commas between; none by default."""
    basemaps: Path | None = None
    """``RIVERGIS_BASEMAPS``: YAML file of base maps (see docs/base_maps.md); none: maps have no ground but our own layers."""
    tile_cache_mb: int = 64
    """Memory of one server process for vector tiles; 0: none is remembered."""

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
        feed_settle_s=_whole("RIVERGIS_FEED_SETTLE_S", env.get("RIVERGIS_FEED_SETTLE_S") or "120", least=0),
        max_limits={k.removeprefix(_MAX).lower(): _whole(k, v) for k, v in env.items() if k.startswith(_MAX) and v},
        notices=_notices(env),
        writes=_switch("RIVERGIS_WRITES", env.get("RIVERGIS_WRITES")),
        public=_review_number(env.get("RIVERGIS_PUBLIC") or ""),
        cors_origins=_origins(env.get("RIVERGIS_CORS_ORIGINS") or ""),
        basemaps=Path(env["RIVERGIS_BASEMAPS"]) if env.get("RIVERGIS_BASEMAPS") else None,
        tile_cache_mb=_whole("RIVERGIS_TILE_CACHE_MB", env.get("RIVERGIS_TILE_CACHE_MB") or "64", least=0),
    )


def _review_number(text: str) -> str | None:
    """The 审图号 of the public part; ``UsageError`` for what is none: without one no map is public (地图管理条例 art. 22)."""
    number = text.strip()
    if number and not re.fullmatch(r".{0,8}S.{0,4}[(（\[]\d{4}[)）\]]\d{1,6}号", number):
        raise UsageError(
            f"RIVERGIS_PUBLIC is {number[:40]!r}: it must be the review number (审图号) of what is shown, such as 渝S(2026)001号."
        )
    return number or None


def _origins(text: str) -> tuple[str, ...]:
    """Origins as browsers send them; ``UsageError`` for anything else, a star above all: it would let every site read."""
    origins = tuple(o.strip() for o in text.split(",") if o.strip())
    for origin in origins:
        if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", origin):
            raise UsageError(
                f"RIVERGIS_CORS_ORIGINS holds {origin[:60]!r}: name each site as http(s)://host or http(s)://host:port."
            )
    return origins


def _notices(env: Mapping[str, str]) -> Notices:
    security = env.get("RIVERGIS_SMTP_SECURITY") or "starttls"
    if security not in _PORTS:
        raise UsageError(f"RIVERGIS_SMTP_SECURITY is {security[:40]!r}: it must be {', '.join(_PORTS)}.")
    return Notices(
        webhook=env.get("RIVERGIS_NOTICE_WEBHOOK") or None,
        secret=env.get("RIVERGIS_NOTICE_SECRET") or None,
        mail_to=tuple(a.strip() for a in env.get("RIVERGIS_NOTICE_MAIL_TO", "").split(",") if a.strip()),
        mail_from=env.get("RIVERGIS_NOTICE_MAIL_FROM") or None,
        smtp_host=env.get("RIVERGIS_SMTP_HOST") or None,
        smtp_port=_whole("RIVERGIS_SMTP_PORT", env.get("RIVERGIS_SMTP_PORT") or str(_PORTS[security])),
        smtp_security=security,
        smtp_user=env.get("RIVERGIS_SMTP_USER") or None,
        smtp_password=env.get("RIVERGIS_SMTP_PASSWORD") or None,
        base_url=(env.get("RIVERGIS_BASE_URL") or "").rstrip("/") or None,
    )


def _switch(name: str, text: str | None) -> bool:
    word = (text or "off").strip().lower()
    if word not in ("on", "off"):
        raise UsageError(f"{name} is {word[:40]!r}: it must be on or off.")
    return word == "on"


def _whole(name: str, text: str, least: int = 1) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", text.strip()) or int(text) < least:
        raise UsageError(f"{name} is {text[:40]!r}: it must be a whole number, at least {least}.")
    return int(text)
