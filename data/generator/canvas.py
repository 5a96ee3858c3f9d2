"""Painting ground covers onto a fine grid: colours of four bands, outlines, lines, textures and shadows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from affine import Affine
from rasterio.features import rasterize
from scipy.ndimage import gaussian_filter, shift, zoom
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from .frame import ORIGIN

# blue, green, red, near infrared
COVER = {
    "water": (84, 96, 76, 36), "shallow": (106, 118, 102, 54), "forest": (50, 70, 56, 128),
    "grove": (54, 78, 62, 140), "grass": (78, 102, 88, 138), "beach": (130, 146, 154, 162),
    "wet": (92, 104, 104, 98), "ridge": (88, 110, 104, 130), "paddy_wet": (88, 98, 88, 68),
    "paddy_young": (76, 104, 84, 126), "paddy_green": (64, 102, 76, 168), "rape_ripe": (80, 124, 124, 150),
    "stubble": (108, 128, 138, 150), "maize": (70, 98, 74, 156), "veg": (72, 108, 80, 166),
    "bare": (100, 120, 136, 150), "orchard": (60, 84, 66, 136), "soil": (116, 142, 170, 178),
    "sand": (150, 166, 178, 188), "terrace": (84, 108, 100, 140), "concrete": (180, 184, 186, 186),
    "asphalt": (116, 118, 122, 124), "track": (136, 148, 156, 160), "roof_grey": (132, 136, 142, 146),
    "roof_red": (86, 94, 142, 146), "roof_blue": (178, 136, 92, 116), "roof_white": (204, 206, 208, 208),
    "roof_dark": (92, 96, 102, 106), "film": (190, 195, 196, 188), "rubble": (140, 148, 154, 158),
    "silt": (102, 114, 122, 116), "pit": (124, 148, 170, 176),
}  # fmt: skip


class Canvas:
    """A four-band picture on a grid of ``cell_m`` with its south-west corner at local ``west, south``."""

    def __init__(self, west: float, south: float, width_m: float, height_m: float, cell_m: float) -> None:
        self.cell_m = cell_m
        self.shape = (int(height_m / cell_m), int(width_m / cell_m))
        self.transform = Affine(cell_m, 0, ORIGIN[0] + west, 0, -cell_m, ORIGIN[1] + south + height_m)
        self.pixels = np.zeros((*self.shape, 4), dtype="float32")
        east = ORIGIN[0] + west + (np.arange(self.shape[1]) + 0.5) * cell_m
        north = ORIGIN[1] + south + height_m - (np.arange(self.shape[0]) + 0.5) * cell_m
        self.xy = np.stack(np.meshgrid(east, north), axis=-1)

    def mask(self, shapes: Iterable[BaseGeometry] | BaseGeometry) -> np.ndarray:
        shapes = [shapes] if isinstance(shapes, BaseGeometry) else [s for s in shapes if not s.is_empty]
        if not shapes:
            return np.zeros(self.shape, bool)
        return rasterize([(s, 1) for s in shapes], self.shape, transform=self.transform).astype(bool)

    def fill(self, where: np.ndarray, cover: str, strength: float | np.ndarray = 1.0) -> None:
        """Paint a cover where the mask is true, mixed with what lies below by ``strength``."""
        mix = np.broadcast_to(np.asarray(strength, dtype="float32"), self.shape)[where][:, None]
        self.pixels[where] = self.pixels[where] * (1 - mix) + np.array(COVER[cover], dtype="float32") * mix

    def line(self, line: BaseGeometry, width_m: float, cover: str, strength: float = 1.0) -> None:
        self.fill(self.mask(line.buffer(width_m / 2)), cover, strength)

    def shade(self, where: np.ndarray, factor: float | np.ndarray) -> None:
        """Darken or brighten."""
        self.pixels[where] *= np.broadcast_to(np.asarray(factor, dtype="float32"), self.shape)[where][:, None]

    def cast_shadow(self, shapes: list[BaseGeometry], height_m: float) -> None:
        """The shadow of things of a height, the sun in the south-east of a late morning."""
        moved = [affinity.translate(s, -0.42 * height_m, 0.58 * height_m) for s in shapes]
        self.shade(self.mask(moved), 0.52)

    def texture(self, rng: np.random.Generator, where: np.ndarray, sigma_m: float, amount: float) -> None:
        """Cloudy unevenness of brightness at a scale."""
        self.shade(where, 1 + self.noise(rng, sigma_m) * amount)

    def noise(self, rng: np.random.Generator, sigma_m: float) -> np.ndarray:
        step = max(int(sigma_m / self.cell_m / 2), 1)
        coarse = rng.standard_normal((self.shape[0] // step + 3, self.shape[1] // step + 3))
        field = gaussian_filter(coarse, sigma_m / self.cell_m / step)
        fine = zoom(field, step, order=1) if step > 1 else field
        return (fine / fine.std())[: self.shape[0], : self.shape[1]]

    def scene(self, factor: int, moved: tuple[float, float]) -> np.ndarray:
        """The picture as a sensor sees it: shifted by fine cells, blurred a little and averaged to coarse cells."""
        out = []
        for band in np.moveaxis(self.pixels, -1, 0):
            seen = gaussian_filter(shift(band, moved, order=1, mode="nearest"), 0.6)
            h, w = seen.shape
            out.append(seen.reshape(h // factor, factor, w // factor, factor).mean(axis=(1, 3)))
        return np.stack(out)
