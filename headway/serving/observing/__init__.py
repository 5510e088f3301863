"""What happens to an answered request after its answer: handed to consumers in the background, never in its way."""

from __future__ import annotations

from headway.serving.observing.lane import Lane, NotNowError, Tally
from headway.serving.observing.observer import Observer
from headway.serving.observing.served import Served

__all__ = ["Lane", "NotNowError", "Observer", "Served", "Tally"]
