"""Front-end files: the vendored ones are what the table says, and none of ours names another machine."""

from __future__ import annotations

import hashlib
import re

import pytest

from rivergis.errors import NotFound
from rivergis.maps import assets

ROW = re.compile(r"^\| (\S+) \| (\S+) \| (\S+) \| ([^|]+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)


def table() -> dict[str, str]:
    rows = ROW.findall((assets.VENDOR_DIR / "README.md").read_text(encoding="utf-8"))
    return {name: digest for name, _, _, _, digest in rows}


def test_vendored_files_are_the_published_ones() -> None:
    found = {
        file.relative_to(assets.VENDOR_DIR).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in assets.VENDOR_DIR.rglob("*")
        if file.is_file() and file.name != "README.md"
    }
    assert found == table()


def test_every_vendored_folder_has_its_licence() -> None:
    for folder in assets.VENDOR_DIR.iterdir():
        assert not folder.is_dir() or (folder / "LICENSE").is_file(), folder.name


def test_our_own_files_name_no_other_machine() -> None:
    for file in assets.PAGE_DIR.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(https?:)?//\w+\.\w+", text), file.name


def test_style_sheets_carry_their_pictures_when_written_into_a_page() -> None:
    text = assets.inline_css("leaflet/leaflet.css")
    assert "data:image/png;base64," in text
    assert ".png" not in text


def test_a_page_sees_a_changed_file_at_once() -> None:
    digest = hashlib.sha256((assets.PAGE_DIR / "atlas.js").read_bytes()).hexdigest()
    assert assets.url("page/atlas.js", "/assets/vendor/") == f"/assets/vendor/page/atlas.js?v={digest[:12]}"


def test_mounts_find_every_file_a_map_links() -> None:
    folders = assets.mounts("/static")
    for name in (*assets.MAP_JS, *assets.MAP_CSS, assets.ICON, assets.SWAGGER_JS, assets.SWAGGER_CSS):
        address = f"/static/{name}"
        prefix, folder = next((p, f) for p, f in folders if address.startswith(p + "/"))
        assert (folder / address.removeprefix(prefix + "/")).is_file()


@pytest.mark.parametrize("name", ["leaflet/none.js", "../atlas.py", "page/../atlas.py", ""])
def test_only_front_end_files_are_given(name: str) -> None:
    with pytest.raises(NotFound):
        assets.path(name)
