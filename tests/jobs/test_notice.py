"""What goes out after a night: signed, without names, to servers that really answer; a failure is told and stops nothing."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import settings as settings_
from rivergis.errors import UsageError
from rivergis.jobs import notice
from rivergis.reports.morning_facts import Figure, Measured, Morning, Run, Trouble
from rivergis.reports.morning_reading import DAYS, FIGURES
from rivergis.settings import Settings

NIGHT = date(2026, 5, 20)
ENDED = datetime(2026, 5, 20, 18, 10, tzinfo=UTC)


def morning(*troubles: Trouble, **values: float) -> Morning:
    """A morning with these figures, nought elsewhere; a row behind one of them names a person, which must not go out."""
    rows = ({"id": "1", "number": "1", "chief": "王某", "place": "清溪 左岸"},)
    figures = tuple(
        Figure(
            group,
            code,
            unit,
            values.get(code, 0),
            1,
            2.5,
            6,
            columns,
            rows if values.get(code) else (),
            {"河镇": 1},
            {},
        )
        for group, code, unit, columns in FIGURES
    )
    run = Run(ENDED, "done", "rules", ("试验县",), 12, 1, troubles, 4.0, 24)
    return Morning(NIGHT, ENDED, False, True, run, figures, (), (), dict.fromkeys(DAYS, 7), ())


def settings(**env: str) -> Settings:
    return settings_.load({f"RIVERGIS_{k}": v for k, v in env.items()})


@contextmanager
def serving(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Hook(BaseHTTPRequestHandler):
    """Keeps what is posted; answers what the server was told to."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.answer)  # type: ignore[attr-defined]
        if self.server.answer == 302:  # type: ignore[attr-defined]
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing on the screen."""


@contextmanager
def hook(answer: int = 200) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    server.got, server.answer = [], answer  # type: ignore[attr-defined]
    with serving(server) as port:
        yield f"http://127.0.0.1:{port}/hook", server.got  # type: ignore[attr-defined]


class _Post(socketserver.StreamRequestHandler):
    """A mail server of a few words (RFC 5321): takes a letter, or refuses every recipient."""

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line.split(" ")[0].upper()
            if word == "DATA":
                self._say("354 go on")
                self.server.got.append(b"".join(iter(self._line, b".\r\n")))  # type: ignore[attr-defined]
            elif word == "QUIT":
                self._say("221 bye")
                return
            self._say("550 no such person" if word == "RCPT" and self.server.refuses else "250 well")  # type: ignore[attr-defined]

    def _line(self) -> bytes:
        return self.rfile.readline()

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


@contextmanager
def post_office(refuses: bool = False) -> Iterator[tuple[int, list[bytes]]]:
    server = socketserver.TCPServer(("127.0.0.1", 0), _Post)
    server.got, server.refuses = [], refuses  # type: ignore[attr-defined]
    with serving(server) as port:
        yield port, server.got  # type: ignore[attr-defined]


def mail_settings(port: int, **more: str) -> Settings:
    own = {"NOTICE_MAIL_TO": "a@example.org, b@example.org", "NOTICE_MAIL_FROM": "rivergis@example.org"}
    return settings(**own, SMTP_HOST="127.0.0.1", SMTP_PORT=str(port), SMTP_SECURITY="none", **more)


def test_the_webhook_gets_the_figures_signed() -> None:
    with hook() as (address, got):
        own = settings(NOTICE_WEBHOOK=address, NOTICE_SECRET="lock", BASE_URL="https://rivers.example/")
        sent = notice.send(own, morning(new_announced=3, not_observed=1.25))
    assert [(s.channel, s.ok) for s in sent] == [("webhook", True)]
    headers, body = got[0]
    assert headers["X-Rivergis-Signature"] == notice.signature("lock", headers["X-Rivergis-Timestamp"], body)
    told = json.loads(body)
    values = {f["code"]: (f["value"], f["yesterday"], f["mean_7_days"], f["nights"]) for f in told["figures"]}
    assert values["new_announced"] == (3, 1, 2.5, 6) and values["not_observed"][0] == 1.25
    assert told["report"] == "https://rivers.example/reports/night/2026-05-20" and told["night"] == "2026-05-20"


def test_no_person_and_no_place_goes_out() -> None:
    with hook() as (address, got), post_office() as (port, letters):
        own = replace(mail_settings(port), notices=replace(mail_settings(port).notices, webhook=address))
        sent = notice.send(own, morning(new_announced=1, work_overdue=2))
    assert [s.ok for s in sent] == [True, True]
    letter = message_from_bytes(letters[0], policy=policy.default)
    for told in (got[0][1].decode(), letter.get_content(), letter["Subject"]):
        assert "王某" not in told and "清溪" not in told


def test_the_letter_says_what_matters_first() -> None:
    with post_office() as (port, letters):
        notice.send(mail_settings(port), morning(Trouble("铁塔视频", "", True), new_announced=4, work_overdue=2))
    letter = message_from_bytes(letters[0], policy=policy.default)
    assert letter["To"] == "a@example.org, b@example.org" and letter["Auto-Submitted"] == "auto-generated"
    assert "2026-05-20" in letter["Subject"] and "4" in letter["Subject"]
    assert letter.get_content().startswith("运行有故障")


def test_nothing_is_sent_when_nothing_changed() -> None:
    with hook() as (address, got):
        assert notice.send(settings(NOTICE_WEBHOOK=address), morning(stock=40, patrol_due=3)) == [] and got == []
        assert notice.send(settings(NOTICE_WEBHOOK=address), morning(Trouble("热线", "中断", True)))[0].ok
    assert notice.send(settings(), morning(new_announced=1)) == []


@pytest.mark.parametrize(("answer", "said"), [(500, "500"), (302, "302"), (404, "404")])
def test_a_webhook_that_refuses_is_told_and_stops_nothing(answer: int, said: str) -> None:
    with hook(answer) as (address, got):
        sent = notice.send(settings(NOTICE_WEBHOOK=address), morning(gone=1))
    assert len(got) == 1 and not sent[0].ok and said in sent[0].sentence and sent[0].sentence.count("\n") == 0


def test_what_cannot_be_reached_is_told() -> None:
    with hook() as (address, _):
        pass  # closed again: nobody listens there
    own = settings(NOTICE_WEBHOOK=address, NOTICE_MAIL_TO="a@example.org", SMTP_SECURITY="none")
    with post_office(refuses=True) as (port, letters):
        refused = notice.send(mail_settings(port), morning(gone=1))
    sent = [
        *notice.send(own, morning(gone=1)),
        *refused,
        *notice.send(settings(NOTICE_WEBHOOK="file:///etc/passwd"), morning(gone=1)),
    ]
    assert [s.ok for s in sent] == [False] * 4 and letters == []
    assert "RIVERGIS_SMTP_HOST" in sent[1].sentence and "http://" in sent[3].sentence
    assert all(s.sentence.startswith("The notice of 2026-05-20 did not go out") for s in sent)


def test_settings_are_read_and_secrets_are_not_shown() -> None:
    own = settings(SMTP_SECURITY="tls", SMTP_PASSWORD="pässword", NOTICE_SECRET="lock")
    assert own.notices.smtp_port == 465 and "pässword" not in repr(own) and "lock" not in repr(own)
    with pytest.raises(UsageError, match="RIVERGIS_SMTP_SECURITY"):
        settings(SMTP_SECURITY="maybe")


@given(st.binary(max_size=40), st.binary(max_size=40), st.text(min_size=1, max_size=9))
def test_a_signature_is_of_one_secret_moment_and_content(one: bytes, other: bytes, secret: str) -> None:
    first = notice.signature(secret, "1", one)
    assert (first == notice.signature(secret, "1", other)) == (one == other)
    assert first != notice.signature(secret, "2", one) and first != notice.signature(secret + "x", "1", one)


@given(
    st.lists(
        st.tuples(st.sampled_from(["甲镇", "乙镇", ""]), st.sampled_from(["a", "b"]), st.integers(0, 50)), max_size=20
    )
)
def test_townships_and_parts_add_up_to_the_figure(said: list[tuple[str, str, int]]) -> None:
    rows = [{"town": t, "class": c, "km": n} for t, c, n in said]
    for weight in (None, "km"):
        measured = Measured.of_rows(rows, "class", weight)
        assert measured.value == sum(measured.towns.values()) == sum(measured.parts.values())
        assert measured.value == (len(rows) if weight is None else sum(n for *_, n in said))
