"""What is to be predicted: one folder per task."""

from __future__ import annotations

from headway.tasks.classify import Classify
from headway.tasks.regress import Regress

Task = Classify | Regress

__all__ = ["Classify", "Regress", "Task"]
