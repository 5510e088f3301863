"""Tests that stay valid however often one looks: always-valid p-values and confidence sequences.

The normal mixture of Robbins (1970): under no difference, with score S of variance I, the ratio
sqrt(eta / (I + eta)) exp(S^2 / (2 (I + eta))) is a martingale that ever exceeds 1/alpha with probability alpha at most.
Johari, Pekelis and Walsh ("Always Valid Inference", Operations Research 70(3), 2022, section 4) use it for A/B tests as
the mixture sequential probability ratio test; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central
limit theory and asymptotic confidence sequences", Annals of Statistics 52(6), 2024, theorem 2.2) justify it with an
estimated variance, from a burn-in on. `proportion_evidence` is exact from the first row on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Means of fewer units are not near enough to normal to be judged, and a rare answer has to have come up at times.
FEWEST_UNITS = 50
FEWEST_RARE = 10
# Where no smallest effect is named, the test is sharpest for differences of this many standard deviations.
USUAL_EFFECT = 0.2


@dataclass(frozen=True)
class Sums:
    """What is kept of one arm's values: their count, sum and sum of squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        """Return the mean; NaN without values."""
        return self.total / self.count if self.count else math.nan

    @property
    def variance(self) -> float:
        """Return the unbiased variance; NaN with fewer than two values."""
        if self.count < 2:
            return math.nan
        return max(0.0, (self.squares - self.total**2 / self.count) / (self.count - 1))

    def add(self, value: float) -> Sums:
        """Return the sums with one more value."""
        return Sums(self.count + 1, self.total + value, self.squares + value * value)


@dataclass(frozen=True)
class Finding:
    """A difference of means (B less A) as it stands now.

    `interval` holds the true difference at every look at once with probability 1 - alpha; infinite before the burn-in.
    `p_value` is valid at this look whatever looks came before.
    """

    difference: float
    interval: tuple[float, float]
    p_value: float


_NOTHING = Finding(math.nan, (-math.inf, math.inf), 1.0)


def compare_means(a: Sums, b: Sums, *, alpha: float, effect: float | None = None, binary: bool = False) -> Finding:
    """Compare two arms' means; valid at every look.

    `effect`: the difference for which the interval is made tightest (it is valid for all); see `USUAL_EFFECT`.
    `binary` values are 0 and 1: they need `FEWEST_RARE` of the rarer one, and their variance is pooled.
    """
    if min(a.count, b.count) < 2:
        return _NOTHING
    difference = b.mean - a.mean
    pooled = Sums(a.count + b.count, a.total + b.total, a.squares + b.squares)
    variances = (pooled.variance, pooled.variance) if binary else (a.variance, b.variance)
    spread = variances[0] / a.count + variances[1] / b.count
    rare = min(pooled.total, pooled.count - pooled.total) if binary else math.inf
    if min(a.count, b.count) < FEWEST_UNITS or rare < FEWEST_RARE or spread <= 0:
        return Finding(difference, (-math.inf, math.inf), 1.0)
    return _judge(difference, 1 / spread, _precision(effect, math.sqrt(pooled.variance)), alpha)


def compare_pairs(differences: Sums, differing: int, *, alpha: float, effect: float | None = None) -> Finding:
    """Compare two answers to the same units by their paired differences (B less A); valid at every look.

    `differing`: how many differences are not zero; with few of them the variance is not yet known.
    """
    if differences.count < 2:
        return _NOTHING
    spread = differences.variance / differences.count
    if differences.count < FEWEST_UNITS or differing < FEWEST_RARE or spread <= 0:
        return Finding(differences.mean, (-math.inf, math.inf), 1.0)
    return _judge(differences.mean, 1 / spread, _precision(effect, math.sqrt(differences.variance)), alpha)


def proportion_evidence(hits: int, rows: int, *, at_most: float) -> float:
    """Return the evidence (an e-value, 1/p) that hits come more often than `at_most`; exact and valid at every look.

    A mixture over the shares above `at_most` (Robbins 1970; Waudby-Smith and Ramdas 2024, section 3): the beta-binomial
    likelihood with a uniform prior cut at `at_most`, over the likelihood at `at_most` itself.
    """
    grid = at_most + (1 - at_most) * (np.arange(400) + 0.5) / 400
    logs = hits * np.log(grid / at_most) + (rows - hits) * (np.log1p(-grid) - math.log1p(-at_most))
    top = float(logs.max())
    return math.exp(min(700.0, top + math.log(float(np.exp(logs - top).mean()))))


def share_evidence(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the evidence (an e-value, 1/p) that units do not fall into arms by `shares`; valid at every look.

    The Dirichlet-multinomial mixture of Lindon and Malek ("Anytime-valid inference for multinomial count data",
    NeurIPS 2022); it finds broken randomisation, called sample ratio mismatch.
    """
    concentration = [share * 100 for share in shares]
    total = sum(counts)
    log = math.lgamma(sum(concentration)) - math.lgamma(sum(concentration) + total)
    for count, share, start in zip(counts, shares, concentration, strict=True):
        log += math.lgamma(start + count) - math.lgamma(start) - count * math.log(share)
    return math.exp(min(log, 700.0))


def running_p(findings: Sequence[Finding]) -> list[float]:
    """Return the smallest p-value up to each look, which is a valid p-value too (Johari et al. 2022, section 3)."""
    return np.minimum.accumulate([finding.p_value for finding in findings]).tolist() if findings else []


def _precision(effect: float | None, deviation: float) -> float:
    """Return eta, the precision of the mixture over true differences."""
    scale = effect if effect is not None else USUAL_EFFECT * deviation
    return 1 / scale**2


def _judge(difference: float, information: float, eta: float, alpha: float) -> Finding:
    """Return the finding for an estimate of `difference` with variance 1 / `information`."""
    whole = information + eta
    half = math.sqrt(whole * math.log(whole / (eta * alpha**2))) / information
    log = 0.5 * math.log(eta / whole) + (difference * information) ** 2 / (2 * whole)
    return Finding(difference, (difference - half, difference + half), math.exp(-max(0.0, log)))
