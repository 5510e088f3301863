"""How a number is written for a reader."""

from __future__ import annotations

import math

from headway.report.words import Say

_SHARES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "calibration_error", "coverage_", "distinct_",
           "repetition", "form_kept", "picture_", "copied_share", "class_kept")  # fmt: skip


def write_metric(name: str, value: float) -> str:
    """Return a metric as people quote it: shares as percentages, areas and losses with three digits."""
    if name.startswith(_SHARES):
        return write_share(value)
    if name == "longest_copy":
        return f"{value:,.0f}"
    if name in {"roc_auc", "average_precision", "log_loss", "brier", "r2", "bits_per_character", "rouge_l"}:
        return f"{value:.3f}"
    return write_number(value)


def write_interval(name: str, interval: tuple[float, float] | None) -> str:
    """Return both ends, or nothing where there is no interval."""
    if interval is None:
        return ""
    return f"{write_metric(name, interval[0])} – {write_metric(name, interval[1])}"


def write_share(value: float) -> str:
    """Return a share as a percentage with one digit, never rounded to all or none."""
    if value in {0, 1}:
        return f"{100 * value:.0f}%"
    if abs(value) < 0.0005:
        return "<0.1%"
    if 0.9995 <= value < 1:
        return ">99.9%"
    return f"{100 * value:.1f}%"


def write_of_hundred(value: float) -> str:
    """Return a share as a count out of 100, never rounded up to all or down to none."""
    hundred = 100 * value
    if 0 < hundred < 1 or 99 < hundred < 100:
        return f"{min(max(hundred, 0.1), 99.9):.1f}"
    return f"{hundred:.0f}"


def write_number(value: float) -> str:
    """Return a number with four significant digits and separated thousands."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "–"
    if value == 0:
        return "0"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}" if digits < 9 else f"{value:.3g}"


def write_value(value: float) -> str:
    """Return a cell's number: whole ones as they are."""
    return f"{value:.0f}" if math.isfinite(value) and value.is_integer() and abs(value) < 1e15 else write_number(value)


def write_seconds(seconds: float | None, say: Say) -> str:
    """Return a duration in seconds or minutes."""
    if seconds is None:
        return ""
    if seconds >= 120:
        return say("minutes", value=f"{seconds / 60:.1f}")
    if seconds < 0.1:
        return say("seconds", value="<0.1")
    return say("seconds", value=f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}")


def write_milliseconds(milliseconds: float | None) -> str:
    """Return a latency."""
    if milliseconds is None:
        return ""
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"


def write_megabytes(megabytes: float | None) -> str:
    """Return a size; small ones in KB."""
    if megabytes is None:
        return ""
    if megabytes < 1:
        return f"{megabytes * 1024:.0f} KB"
    return f"{megabytes:.1f} MB" if megabytes < 100 else f"{megabytes:,.0f} MB"
