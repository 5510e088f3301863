"""Where things are kept that outlive a run: base models, features."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """Return the folder for `name`: under HEADWAY_CACHE, else XDG_CACHE_HOME/headway, else ~/.cache/headway.

    It is not made here.
    """
    own = os.environ.get("HEADWAY_CACHE")
    if own:
        return Path(own).expanduser().absolute() / name
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home).expanduser().absolute() if home else Path.home() / ".cache") / "headway" / name
