"""河流 rivers: lines made into a network, places told by chainage, the ground around, and who answers for a metre.

Where to look, in the order that things happen:

- *Lines to network*: ``build`` runs it; ``attributes`` (what fields say), ``noding`` with ``course``, ``segments``, ``ends``, ``dangles``,
  ``suspects`` (nodes), ``waters`` with ``water_bodies``, ``lake_paths``, ``sheet``, ``half_widths`` (lakes and widths), ``direction`` with
  ``consensus`` and ``rooms`` (which way), ``measures`` with ``stem`` (order, lengths, rivers), ``frames`` (what comes out); ``drawn`` is
  what the steps hand each other.
- *Network asked*: ``network`` (trace, route), ``place`` (points on reaches), ``topology`` (numbers for the same in SQL), ``tracing``.
- *Chainage 桩号*: ``chainage`` on ``feet``, ``calibration`` (official figures), ``transfer`` (re-digitised axes), ``banks`` on
  ``alongside``, ``measuring`` (the same on a file or the database).
- *Ground*: ``terrain``, ``terrain_flow`` with ``terrain_kernels``, ``terrain_large``; ``flood`` with ``levels``, ``valley``, ``spread``.
- *Register 名录*: ``inventory`` with ``sections``, ``standing``, ``grades``, ``official``; ``duties``, ``register`` (who answers).
- *Edges*: ``files`` and ``*_files`` (files in, files out), ``rows``, ``store`` and ``network_store`` (the database), ``workflow`` (jobs).
"""

from rivergis.river import chainage, network

__all__ = ["chainage", "network"]
