"""WMS, WFS, WMTS and pictures of tiles, by MapServer behind our sign-in."""
