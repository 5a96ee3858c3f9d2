"""Pictures as they may be shown: what was seen and nothing else; EXIF, XMP, thumbnails and notes of the camera stay behind."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image

from rivergis.errors import InputError
from rivergis.intake import exif, photo
from rivergis.intake.limits import DEFAULT, Limits

LONGEST_PX = 2000
"""Longer side of a picture as it is shown; the original keeps its own."""
_QUALITY = 88


def shown(path: Path, limits: Limits = DEFAULT) -> tuple[bytes, str]:
    """The pixels of a picture, turned as the camera was held, and their media type: PNG stays PNG, all else becomes JPEG.

    What may a viewer see of a photo without learning where its maker stood and what with? ``InputError``: no picture, or damaged.
    """
    with photo.opened(path, limits) as image:
        form = "PNG" if image.format == "PNG" else "JPEG"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pixels = _pixels(image, form)
                turned = exif.read(image).turned  # only now: reading the pixels of a TIFF turns them
        except (OSError, ValueError, SyntaxError, MemoryError, TypeError, LookupError, ArithmeticError) as error:
            raise InputError(f"{path.name} is cut off or damaged: ask for the original file again.") from error
    out = io.BytesIO()
    pixels = pixels.transpose(photo.TURNS[turned]) if turned in photo.TURNS else pixels
    pixels.save(out, form, **({} if form == "PNG" else {"quality": _QUALITY}))
    return out.getvalue(), f"image/{form.lower()}"


def _pixels(image: Image.Image, form: str) -> Image.Image:
    """A copy that carries pixels only, no larger than is shown."""
    image.draft("RGB", (LONGEST_PX, LONGEST_PX))
    see_through = form == "PNG" and ("A" in image.mode or "transparency" in image.info)
    copy = image.convert("RGBA" if see_through else "RGB")
    copy.thumbnail((LONGEST_PX, LONGEST_PX))
    clean = Image.new(copy.mode, copy.size)  # a copy would take what the camera wrote along
    clean.paste(copy)
    return clean
