"""A pocket map as one page (口袋地图): data, scripts and watermark in a file that opens from a memory card, with no server.

Nothing is asked of the network: the page's own policy allows only the scripts and styles that stand in it, by hash. With a
passphrase the data is sealed with AES-256-GCM under a key of PBKDF2-HMAC-SHA-256; the head of the page (holder, days) is bound to
it. The day of expiry is a reminder: the page hides the data from then on, the file still holds it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from rivergis import lead, words
from rivergis.errors import UsageError
from rivergis.lifecycle import DRAFT_MARK
from rivergis.maps import assets, palette
from rivergis.maps.pocket.pack import LAW, ROUNDED_M, Layers, Packed

SCRIPTS = (
    "pako/pako_inflate.min.js", "page/pocket_data.js", "page/pocket_ask.js", "page/pocket_draw.js", "page/pocket_page.js",
)  # fmt: skip
ROUNDS = 600_000
"""Rounds of PBKDF2-HMAC-SHA-256 (OWASP 2023)."""
SHORTEST_PASSPHRASE = 10
TASKS = ("work_lead", "work_patrol", "work_stake")
INTERNAL = "内部资料"
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


@dataclass(frozen=True)
class Paper:
    """What the page says of itself: for whom, of what, made when and good until when."""

    district_code: str
    district_name: str
    day: date
    made_at: datetime
    """Beijing time."""
    made_by: str
    holder: str
    expires_on: date
    sensitive: tuple[str, ...] = ()
    demo: bool = False


def contents(layers: Layers, bounds: Sequence[float], hidden: Sequence[str]) -> dict[str, Any]:
    """What goes with the layers into the packed data: the first view, what starts switched off, how much work there is."""
    styles = palette.load()
    counts = {name: int(layers[name]["n"].sum()) if name in layers else 0 for name in TASKS}
    tasks = {name: {"zh": styles.of(name).zh, "en": styles.of(name).en, "count": n} for name, n in counts.items()}
    return {"bounds": [float(v) for v in bounds], "hidden": list(hidden), "tasks": tasks}


def room(max_bytes: int) -> int:
    """Bytes of packed data that fit into a page of ``max_bytes``: base64 makes four of three."""
    fixed = sum(
        assets.path(name).stat().st_size for name in (*SCRIPTS, "page/pocket.css", "page/pocket.html", assets.ICON)
    )
    return (max_bytes - fixed - 20_000) * 3 // 4


def page(packed: Packed, paper: Paper, passphrase: str | None = None) -> str:
    """HTML of the page; ``UsageError`` for a passphrase that is too short."""
    head = _head(packed, paper)
    block = packed.data
    if passphrase is not None:
        salt, iv = os.urandom(16), os.urandom(12)
        head["sealed"] = {
            "cipher": "AES-256-GCM", "kdf": "PBKDF2-HMAC-SHA-256", "iterations": ROUNDS, "salt": _base64(salt), "iv": _base64(iv),
        }  # fmt: skip
        block = seal(packed.data, passphrase, salt, iv, _json(head).encode())
    return _rendered(head, block)


def seal(data: bytes, passphrase: str, salt: bytes, iv: bytes, bound: bytes) -> bytes:
    """The data under a passphrase, as WebCrypto reads it: AES-256-GCM, tag at the end; ``bound`` is not hidden but cannot be changed."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UsageError(f"The passphrase has {len(passphrase)} characters: take at least {SHORTEST_PASSPHRASE}.")
    said = unicodedata.normalize("NFKC", passphrase).encode()
    key = hashlib.pbkdf2_hmac("sha256", said, salt, ROUNDS, 32)
    return AESGCM(key).encrypt(iv, data, bound)


def generalised(packed: Packed) -> str:
    """How far lines may have moved, in words: 概化 界线≤0.5 m 其他≤1 m."""
    law = max((m for name, m in packed.tolerances.items() if name in LAW), default=0.0)
    ground = max((m for name, m in packed.tolerances.items() if name not in LAW), default=0.0)
    if not law and not ground:
        return f"线位未概化,坐标取整(误差不超过 {ROUNDED_M:g} m)"
    return f"线位已概化:界线、保护区偏移不超过 {law:g} m,其他不超过 {ground:g} m(原 {packed.points_before:,} 点,现 {packed.points:,} 点)"


def _head(packed: Packed, paper: Paper) -> dict[str, Any]:
    """What stands in the page in clear: also that of a sealed one."""
    title_zh, title_en = words.pair("pocket.title")
    stamp = f"{paper.holder} {paper.made_at:%Y-%m-%d}制 {paper.expires_on}到期"
    said = generalised(packed)
    return {
        "title_zh": title_zh.format(name=paper.district_name),
        "title_en": title_en.format(name=paper.district_name),
        "district": {"code": paper.district_code, "name": paper.district_name},
        "day": str(paper.day),
        "made_at": f"{paper.made_at:%Y-%m-%d %H:%M}",
        "day_made": f"{paper.made_at:%Y-%m-%d}",
        "made_by": paper.made_by,
        "holder": paper.holder,
        "expires_on": str(paper.expires_on),
        "stamp": f"虚构演示数据 {stamp}" if paper.demo else stamp,
        "badge": "虚构演示数据" if paper.demo else INTERNAL,
        "sensitive": [words.both(f"pocket.with.{name}") for name in paper.sensitive],
        "generalised": said,
        "notes": [f"{said}。", *_notes()],
        "sealed": None,
    }


def _notes() -> list[str]:
    return [
        words.both(f"pocket.note.{key}", mark=DRAFT_MARK)
        for key in ("law", "draft", "work", "position", "expiry", "internal")
    ]


def _rendered(head: Mapping[str, Any], block: bytes) -> str:
    template = assets.path("page/pocket.html").read_text(encoding="utf-8")
    html = Environment(autoescape=True).from_string(template).render(
        head=head,
        head_json=Markup(_json(head)),
        block=Markup(_base64(block)),
        disclaimer=lead.DISCLAIMER_ZH,
        icon=assets.data_uri(assets.ICON),
        style=Markup(assets.inline_css("page/pocket.css")),
        scripts=[Markup(assets.inline_js(name)) for name in SCRIPTS],
    )  # fmt: skip
    return html.replace("@policy@", policy(html), 1)


def policy(html: str) -> str:
    """Only what stands in the page runs and styles it, by hash; it speaks to nobody."""
    allowed: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(html):
        allowed[kind].append(f"'sha256-{_base64(hashlib.sha256(text.encode()).digest())}'")
    return (
        f"default-src 'none'; script-src {' '.join(allowed['script'])}; style-src {' '.join(allowed['style'])}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _json(value: Any) -> str:
    """JSON that no ``<`` in a name can end."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
