"""What happens after an answer, in the background: it is kept, watched for drift, and judged by guardrails."""

from __future__ import annotations

from headway.serving.learning.lane import Lane, NotNowError, Tally
from headway.serving.learning.noted import Event, Noted

__all__ = ["Event", "Lane", "Learner", "NotNowError", "Noted", "Tally"]

from headway.serving.learning.learner import Learner
