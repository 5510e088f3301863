"""What happened before a row, told in numbers beside it: the same code for training and in production.

A row is about keys (a customer, a terminal) and happens at a time. For each key and window of time: how many earlier
rows it has, the means of values in them and how the row's own value compares with these, and how often a target came
true, as far as that is known by then. Counts and means by key over windows, and shares of known targets behind a delay:
Bahnsen et al. 2016, "Feature engineering strategies for credit card fraud detection"; Le Borgne et al. 2022,
"Reproducible Machine Learning for Credit Card Fraud Detection", chapter 3.
"""

from headway.runtime.history.events import Events, read_events
from headway.runtime.history.memory import Memory
from headway.runtime.history.naming import feature_names

__all__ = ["Events", "Memory", "feature_names", "read_events"]
