"""通知 the news of a night: figures to a webhook and by mail, without names of people; silent when nothing changed.

A notice that cannot be sent never fails the night: it is told. What the webhook gets is signed over the moment and the bytes
(HMAC-SHA256, headers ``X-Rivergis-Timestamp`` and ``X-Rivergis-Signature: sha256=...``), so that a receiver can tell it is ours
and not an old one sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from rivergis import __version__, words
from rivergis.db.connect import Database
from rivergis.errors import RivergisError
from rivergis.reports import morning_reading
from rivergis.reports.morning_facts import GROUPS, Morning
from rivergis.reports.morning_words import label, number
from rivergis.rules import RuleBook
from rivergis.settings import Notices, Settings

TIMEOUT_S = 15.0
WEBHOOK, MAIL = "webhook", "mail"


@dataclass(frozen=True)
class Sent:
    """What became of a notice: the channel, whether it went out, and one sentence."""

    channel: str
    ok: bool
    sentence: str


def after_night(db: Database, settings: Settings, rule_book: RuleBook, night: date) -> list[Sent]:
    """Tell a night where the settings say so. Never raises for what may go wrong: it comes back as a sentence."""
    if not _channels(settings.notices):
        return []
    try:
        with db.read() as conn:
            facts = morning_reading.read(conn, rule_book, night).morning
    except RivergisError as error:
        return [Sent(c, False, f"No notice was sent: {error.sentence}") for c in _channels(settings.notices)]
    return send(settings, facts)


def send(settings: Settings, facts: Morning) -> list[Sent]:
    """Send the figures of a morning to every channel that is set; to none where nothing changed (``facts.quiet``)."""
    if facts.quiet:
        return []
    ways: dict[str, Callable[[Notices, Morning], str]] = {WEBHOOK: _post, MAIL: _mail}
    return [_tried(c, ways[c], settings.notices, facts) for c in _channels(settings.notices)]


def _channels(to: Notices) -> list[str]:
    return [c for c, wanted in ((WEBHOOK, to.webhook), (MAIL, to.mail_to)) if wanted]


def _tried(channel: str, way: Callable[[Notices, Morning], str], to: Notices, facts: Morning) -> Sent:
    try:
        return Sent(channel, True, way(to, facts))
    except (OSError, ValueError, smtplib.SMTPException, http.client.HTTPException) as error:
        said = str(getattr(error, "reason", None) or error).splitlines()
        return Sent(
            channel, False, f"The notice of {facts.night} did not go out by {channel}: {(said or ['no answer'])[0]}."
        )


def content(facts: Morning, base_url: str | None = None) -> dict[str, Any]:
    """What is sent: figures with the night before and the mean, what failed, and where to read on. No row, no name of a person."""
    return {
        "kind": "rivergis.morning",
        "night": str(facts.night),
        "finished_at": facts.run.finished_at.isoformat(),
        "state": facts.run.state,
        "red": facts.red,
        "baseline_signed": facts.baseline_signed,
        "demo": facts.demo,
        "figures": [
            {
                "group": f.group,
                "code": f.code,
                "zh": label(f.code, facts),
                "en": label(f.code, facts, "en"),
                "unit": f.unit,
                "value": f.value,
                "yesterday": f.yesterday,
                "mean_7_days": f.mean,
                "nights": f.nights,
            }
            for f in facts.figures
        ],
        "report": f"{base_url}/reports/night/{facts.night}" if base_url else None,
    }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over ``timestamp.body`` as the header carries it."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address that sends elsewhere is refused: what is signed for one receiver goes to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(to: Notices, facts: Morning) -> str:
    address = to.webhook or ""
    if not address.startswith(("http://", "https://")):
        raise ValueError("RIVERGIS_NOTICE_WEBHOOK must begin with http:// or https://")
    body = json.dumps(content(facts, to.base_url), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"rivergis/{__version__}"}
    if to.secret:
        stamp = str(int(time.time()))
        headers |= {"X-Rivergis-Timestamp": stamp, "X-Rivergis-Signature": signature(to.secret, stamp, body)}
    request = urllib.request.Request(address, body, headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
            return f"The notice of {facts.night} went to the webhook, which answered {answer.status}."
    except urllib.error.HTTPError as error:
        raise ValueError(f"the webhook answered {error.code}") from error


def letter(to: Notices, facts: Morning) -> EmailMessage:
    """The mail: a subject with what matters, the figures that are not nought, and where to read on."""
    if not to.smtp_host or not to.mail_from:
        raise ValueError("mail needs RIVERGIS_SMTP_HOST and RIVERGIS_NOTICE_MAIL_FROM")
    told = EmailMessage()
    told["From"], told["To"] = to.mail_from, ", ".join(to.mail_to)
    told["Subject"] = words.say("morning.notice_subject", night=facts.night, headline=headline(facts))
    told["Date"], told["Message-ID"] = formatdate(), make_msgid(domain=to.mail_from.rpartition("@")[2] or None)
    told["Auto-Submitted"] = "auto-generated"
    lines = [words.both("morning.red")] if facts.red else []
    for group in GROUPS:
        own = [f"{label(f.code, facts)} {number(f.value, f.unit)}" for f in facts.of(group) if f.value]
        lines += [f"{words.say('morning.' + group)}: {'; '.join(own)}"] if own else []
    link = content(facts, to.base_url)["report"]
    told.set_content("\n".join([*lines, *([link] if link else []), words.both("page.disclaimer")]) + "\n")
    return told


def headline(facts: Morning) -> str:
    """The most urgent figures in one line."""
    first = (
        "districts_failed",
        "feeds_missing",
        "new_announced",
        "new_elsewhere",
        "rebound",
        "grown",
        "work_overdue",
        "gone",
    )
    told = [f"{label(c, facts)} {number(facts.figure(c).value)}" for c in first if facts.figure(c).value]
    return ", ".join(told[:4])


def _mail(to: Notices, facts: Morning) -> str:
    told = letter(to, facts)
    safe = ssl.create_default_context()
    host, port = str(to.smtp_host), to.smtp_port
    door = (
        smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=safe)
        if to.smtp_security == "tls"
        else smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    )
    with door as server:
        if to.smtp_security == "starttls":
            server.starttls(context=safe)
        if to.smtp_user:
            server.login(to.smtp_user, to.smtp_password or "")
        refused = server.send_message(told)
    if refused:
        raise ValueError(f"{len(refused)} of {len(to.mail_to)} addresses were refused")
    return f"The notice of {facts.night} went to {len(to.mail_to)} mail addresses."
