"""rivergis: geospatial analysis and mapping for China's river chief system (河长制).

Importing the package loads nothing heavy; ``from rivergis import river, patrol`` loads what is asked for.
"""

__version__ = "0.1.0"
