"""What is to be predicted: one folder per task."""

from __future__ import annotations

from headway.tasks.classify import Classify
from headway.tasks.generate import Generate
from headway.tasks.regress import Regress

Task = Classify | Regress | Generate

__all__ = ["Classify", "Generate", "Regress", "Task"]
