"""Pictures as they are shown: the same view, upright, and not one word of the camera."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from rivergis.errors import InputError
from rivergis.intake import exif, shown
from tests.intake.test_photo import gps, picture

SECRET = b"Inspector-Li-17"


def opened(path: Path) -> tuple[Image.Image, bytes, str]:
    content, kind = shown.shown(path)
    return Image.open(io.BytesIO(content)), content, kind


def halves(size: tuple[int, int]) -> Image.Image:
    """Red above, blue below: which way is up can be told."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0], size[1] // 2))
    return image


@settings(max_examples=15, deadline=None)
@given(
    ending=st.sampled_from(["jpg", "png", "tif", "webp"]),
    turned=st.integers(1, 8),
    width=st.integers(40, 300),
    height=st.integers(40, 300),
)
def test_nothing_of_the_camera_is_left_and_it_stands_upright(
    tmp_path_factory: pytest.TempPathFactory, ending: str, turned: int, width: int, height: int
) -> None:
    main: dict[int, Any] = {Base.Orientation: turned, Base.Artist: SECRET.decode(), Base.Model: SECRET.decode()}
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/" drone-dji:GpsLatitude="29.4" note="{SECRET.decode()}"/>'
    path = picture(
        tmp_path_factory.mktemp("p") / f"a.{ending}",
        gps(106.0, 29.4),
        main=main,
        xmp=xmp,
        image=halves((width, height)),
    )
    assert SECRET in path.read_bytes()
    image, content, kind = opened(path)
    said = exif.read(image)
    assert said == exif.Said() and SECRET not in content and not image.getexif()
    assert kind == ("image/png" if ending == "png" else "image/jpeg")
    assert image.size == ((height, width) if turned > 4 else (width, height))
    # where the sky is: rows and columns that the camera calls first
    top = {1: (0.5, 0.1), 2: (0.5, 0.1), 3: (0.5, 0.9), 4: (0.5, 0.9), 5: (0.1, 0.5), 6: (0.9, 0.5), 7: (0.9, 0.5), 8: (0.1, 0.5)}  # fmt: skip
    x, y = top[turned]
    red, _, blue = np.asarray(image.convert("RGB"))[int(y * (image.height - 1)), int(x * (image.width - 1))]
    assert red > 180 > 90 > blue


def test_a_large_one_is_shown_smaller_and_a_note_in_a_png_is_gone(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg", image=halves((4400, 1100)))
    image, _, _ = opened(tmp_path / "a.jpg")
    assert image.size[0] <= shown.LONGEST_PX and image.size[0] == pytest.approx(4 * image.size[1], abs=4)
    note = PngInfo()
    note.add_text("Comment", SECRET.decode())
    Image.new("RGBA", (30, 20), (0, 255, 0, 40)).save(tmp_path / "b.png", pnginfo=note)
    image, content, _ = opened(tmp_path / "b.png")
    assert SECRET not in content and image.info.get("Comment") is None
    assert image.mode == "RGBA" and image.getpixel((3, 3)) == (0, 255, 0, 40)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"<svg/>", b"\xff\xd8\xff\xe0cut"])
def test_what_is_no_picture_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jpg"):
        shown.shown(path)


def test_half_a_picture_is_not_shown_as_a_whole_one(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg", image=Image.effect_noise((400, 400), 80).convert("RGB"))
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(InputError, match="cut off"):
        shown.shown(path)
