"""What is to be predicted: one folder per task."""

from __future__ import annotations

from headway.tasks.classify import Classify
from headway.tasks.generate import Generate
from headway.tasks.regress import Regress
from headway.tasks.several import Part, Several

Task = Classify | Regress | Generate | Several

__all__ = ["Classify", "Generate", "Part", "Regress", "Several", "Task"]
