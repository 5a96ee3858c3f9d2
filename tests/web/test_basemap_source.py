"""Tiles fetched for the browser: from the configured machine only, pictures only, and never the key in what anybody sees."""

from __future__ import annotations

import io
import ipaddress
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rivergis.errors import NoPicture, NotReady
from rivergis.maps.basemaps import Base
from rivergis.web import basemap_source
from rivergis.web.basemap_source import Kept, Source, allowed, fetch

KEY = "s3cret-key"


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "#335577").save(buffer, "PNG")
    return buffer.getvalue()


class Elsewhere(BaseHTTPRequestHandler):
    """A machine that answers well and badly."""

    asked: list[str] = []  # noqa: RUF012 (one server in one test at a time)

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        what = self.path.strip("/").split("/")[0]
        status, kind, body = 200, "image/png", picture()
        if what == "moved":
            status, body = 302, b""
        elif what == "refused":
            status, kind, body = 403, "text/html", f"bad key {KEY}".encode()
        elif what == "page":
            kind, body = "text/html", b"<script>1</script>"
        elif what == "lie":
            body = b"<svg onload=alert(1)>"
        elif what == "drawing":
            kind = "image/svg+xml"
        elif what == "endless":
            body = picture() + b"0" * (basemap_source.MOST_BYTES + 1)
        self.send_response(status)
        self.send_header("content-type", kind)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/elsewhere.png")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def machine() -> Iterator[str]:
    Elsewhere.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def base(machine: str, path: str = "good") -> Base:
    address = f"{machine}/{path}/{{z}}/{{x}}/{{y}}?tk={{key}}"
    return Base("vec", "天地图", "map", "tiles", "GS1", "cgcs2000", address, network="intranet")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(Kept(tmp_path / "kept.sqlite"), {"RIVERGIS_BASEMAP_KEY_VEC": KEY})


def test_a_tile_is_fetched_once_with_the_key_and_kept(source: Source, machine: str) -> None:
    for _ in range(3):
        assert source.tile(base(machine), 3, 4, 5) == (picture(), "image/png")
    assert Elsewhere.asked == [f"/good/3/4/5?tk={KEY}"]


@pytest.mark.parametrize("path", ["moved", "refused", "page", "lie", "drawing", "endless"])
def test_only_a_picture_of_a_tile_comes_through(source: Source, machine: str, path: str) -> None:
    with pytest.raises(NoPicture) as refused:
        source.tile(base(machine, path), 1, 0, 0)
    said = str(refused.value) + repr(refused.value.__cause__)
    assert KEY not in said and "127.0.0.1" not in said
    assert len(Elsewhere.asked) == 1, "it followed to another address"


def test_a_private_machine_is_asked_only_where_that_is_configured(source: Source, machine: str) -> None:
    with pytest.raises(NoPicture, match="private"):
        source.tile(replace(base(machine), network="internet"), 1, 0, 0)
    assert Elsewhere.asked == []


def test_the_machine_that_was_looked_up_is_the_one_that_is_asked(machine: str) -> None:
    """A name that says something else at the second look (DNS rebinding) leads nowhere."""
    port = int(machine.rpartition(":")[2])
    answers = iter(["127.0.0.1", "169.254.169.254"])

    def look_up(_host: str, _port: int, **_: object) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    named = replace(base(f"http://tiles.invalid:{port}"), network="intranet")
    assert fetch(named, f"http://tiles.invalid:{port}/good/1/1/1", look_up) == picture()
    with pytest.raises(NoPicture, match="address"):
        fetch(named, f"http://tiles.invalid:{port}/good/1/1/1", look_up)


@given(st.ip_addresses())
def test_link_addresses_are_never_asked_and_private_ones_not_from_the_internet(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    for network in ("internet", "intranet"):
        if allowed(str(ip), network):
            assert not (ip.is_link_local or ip.is_multicast or ip.is_unspecified)
    if ip.is_private:
        assert not allowed(str(ip), "internet")


@pytest.mark.parametrize(
    "ip", ["169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "::ffff:169.254.169.254"]
)
def test_metadata_of_clouds_is_out_of_reach(ip: str) -> None:
    assert not allowed(ip, "internet") and not allowed(ip, "intranet")


@pytest.mark.parametrize("ip", ["10.0.0.1", "192.168.1.9", "127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"])
def test_the_intranet_is_reached_only_when_configured(ip: str) -> None:
    assert allowed(ip, "intranet") and not allowed(ip, "internet")


def test_without_its_key_nothing_is_asked(machine: str, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="RIVERGIS_BASEMAP_KEY_VEC"):
        Source(Kept(tmp_path / "kept.sqlite"), {}).tile(base(machine), 1, 0, 0)
    assert Elsewhere.asked == []


def test_a_machine_that_does_not_answer_is_left_alone_for_a_while(source: Source) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = base(f"http://127.0.0.1:{free.getsockname()[1]}")
    for why in ("does not answer", "a moment ago"):
        with pytest.raises(NoPicture, match=why):
            source.tile(gone, 1, 0, 0)


def test_what_is_kept_stays_within_its_bytes(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept.sqlite", most_bytes=10_000)
    for i in range(40):
        kept.put(f"vec/{i}", bytes(1_000))
    there = [i for i in range(40) if kept.get(f"vec/{i}")]
    assert 0 < len(there) <= 10 and 39 in there and 0 not in there
