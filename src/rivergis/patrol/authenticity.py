"""轨迹待核实: what in a track a person should look at, each with its reason in words and figures; never a sentence on anybody.

Assistants on the chief's account, joint patrols, drones and paper logs are lawful in places, phones fail and boats keep an
even speed: a signal is a question with a right of reply. Where a track has too few fixes, or too few for its sampling,
nothing is said. What no statistic on positions can find: an imitation that carries the slow wander of a real receiver.
"""

from __future__ import annotations

from rivergis.patrol.authenticity_against import against
from rivergis.patrol.authenticity_alone import alone
from rivergis.patrol.authenticity_archive import Archive
from rivergis.patrol.authenticity_copy import Course, course_of
from rivergis.patrol.authenticity_signal import Limits, Signal, limits_of

__all__ = ["Archive", "Course", "Limits", "Signal", "against", "alone", "course_of", "limits_of"]
