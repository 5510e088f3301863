"""A package taken elsewhere: as a plain graph, in a container, on a cluster, in a browser.

>>> from headway.export import export
>>> export("runs/reviews/latest/package", "browser", out="site")  # doctest: +SKIP
"""

from __future__ import annotations

from headway.export.exporting import Exported, Target, export

__all__ = ["Exported", "Target", "export"]
