"""河流 rivers: reaches, axes, chainage (桩号)."""

from rivergis.river import chainage, network

__all__ = ["chainage", "network"]
