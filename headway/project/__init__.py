"""The project file, read and checked."""

from __future__ import annotations

from headway.project.reading import build, change_time, naming_lines, read
from headway.project.schema import Project

__all__ = ["Project", "build", "change_time", "naming_lines", "read"]
