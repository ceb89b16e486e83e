"""The fitted cut: two normals in the logarithm of the silences, and the timeout where they weigh the same.

After Halfaker et al., "User Session Identification Based on Strong Regularities in Inter-activity Time", WWW 2015.
The fit is shown only where it can be trusted; else the reason is told.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sessionize.values import NamedTuple

Floats = NDArray[np.float64]

SMALLEST_SD: Final = 0.01
GAIN: Final = 1e-9
"""Of the mean log likelihood: the fit ends when a step gains less."""
MOST_STEPS: Final = 20_000
HOUR: Final = math.log2(3600)
LEAST_SILENCES: Final = 1_000
LEAST_DAYS: Final = 7
LEAST_WEIGHT: Final = 0.02
SPREADS: Final = (0.5, 4.0)
MOST_DISTANCE: Final = 0.08


class Normal(NamedTuple):
    """One part of the mixture, over log2 of seconds.

    Attributes:
        weight: Share of the silences that belong to it.
        mean: Mean of the logarithms.
        sd: Standard deviation of the logarithms.
    """

    weight: float
    mean: float
    sd: float

    def below(self, seconds: float) -> float:
        """Share of this part's silences that are shorter."""
        return float(_phi(np.array([math.log2(seconds)]), self)[0]) if seconds > 0 else 0.0


BEGIN: Final = (Normal(0.77, 6.7, 2.75), Normal(0.15, 16.5, 2.2))
"""Where the fit starts: within a session, and between two."""


class Fit(NamedTuple):
    """A mixture, and where it cuts.

    Attributes:
        within: The silences inside sessions.
        between: The silences between sessions.
        cut_s: The timeout at which both weigh the same, in seconds; None where there is none between their means.
        ks: Largest distance between the fitted and the empirical distribution.
    """

    within: Normal
    between: Normal
    cut_s: float | None
    ks: float

    def cost(self, timeout_s: float) -> dict[str, float]:
        """What a timeout costs by the fit.

        Args:
            timeout_s: The timeout, in seconds.

        Returns:
            ``within_cut``: the share of silences inside sessions that it would cut; ``between_kept``: the share of
            silences between sessions that it would keep.
        """
        return {
            "timeout_s": timeout_s,
            "within_cut": 1 - self.within.below(timeout_s),
            "between_kept": self.between.below(timeout_s),
        }


def cut(within: Normal, between: Normal) -> float | None:
    """Seconds at which the weighted densities are equal, between the means; None where they are not.

    Examples:
        >>> round(cut(Normal(0.74, 5.2, 2.3), Normal(0.26, 15.7, 2.5)))  # Wikimedia app views: published as 1767.6
        1842
    """
    low, high = within, between
    a = 1 / (2 * low.sd**2) - 1 / (2 * high.sd**2)
    b = high.mean / high.sd**2 - low.mean / low.sd**2
    c = (
        low.mean**2 / (2 * low.sd**2)
        - high.mean**2 / (2 * high.sd**2)
        - math.log(high.sd * low.weight / (low.sd * high.weight))
    )
    roots = [root for root in _roots(a, b, c) if low.mean <= root <= high.mean]
    return 2 ** roots[0] if roots else None


def _roots(a: float, b: float, c: float) -> list[float]:
    if abs(a) < 1e-12:
        return [-c / b] if b else []
    inside = b * b - 4 * a * c
    if inside < 0:
        return []
    # The stable form: where a is small, the usual one takes the difference of two nearly equal numbers.
    q = -(b + math.copysign(math.sqrt(inside), b)) / 2
    return [q / a, *([c / q] if q else [])]


def fitted(centres: Floats, edges: Floats, counts: NDArray[np.int64]) -> Fit:
    """The mixture of a histogram of log2 of seconds, by expectation maximisation.

    Args:
        centres: The middle of each bin.
        edges: The upper end of each bin.
        counts: Silences in each bin; at least one in all.
    """
    weights = counts / counts.sum()
    total = sum(part.weight for part in BEGIN)
    parts = [Normal(part.weight / total, part.mean, part.sd) for part in BEGIN]
    before = -math.inf
    for _ in range(MOST_STEPS):
        densities = np.array([_density(centres, part) for part in parts])
        whole = np.maximum(densities.sum(axis=0), 1e-300)
        likelihood = float(np.dot(weights, np.log(whole)))
        if likelihood - before < GAIN:
            break
        before = likelihood
        parts = [
            _moments(centres, weights * density / whole, part) for density, part in zip(densities, parts, strict=True)
        ]
    within, between = sorted(parts, key=lambda part: part.mean)
    model = within.weight * _phi(edges, within) + between.weight * _phi(edges, between)
    return Fit(within, between, cut(within, between), float(np.abs(np.cumsum(weights) - model).max()))


def _moments(centres: Floats, shares: Floats, before: Normal) -> Normal:
    weight = float(shares.sum())
    if weight <= 0:
        return Normal(1e-12, before.mean, before.sd)
    mean = float(np.dot(shares, centres)) / weight
    variance = float(np.dot(shares, (centres - mean) ** 2)) / weight
    return Normal(weight, mean, max(SMALLEST_SD, math.sqrt(variance)))


def _density(at: Floats, part: Normal) -> Floats:
    scaled = (at - part.mean) / part.sd
    return part.weight / (part.sd * math.sqrt(2 * math.pi)) * np.exp(-0.5 * scaled * scaled)


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _phi(at: Floats, part: Normal) -> Floats:
    found: Floats = 0.5 * (1 + _erf((at - part.mean) / (part.sd * math.sqrt(2))))
    return found


def doubt(fit: Fit, silences: int, days: float) -> str | None:
    """Why a fit is not to be trusted, in a line; None where it is.

    Args:
        fit: The mixture as it was fitted.
        silences: How many it was fitted to.
        days: How long the log is.
    """
    reasons = (
        (silences < LEAST_SILENCES, f"there are only {silences:,} silences; it takes {LEAST_SILENCES:,}"),
        (days < LEAST_DAYS, f"the log spans only {days:.1f} days; it takes {LEAST_DAYS}"),
        (
            not fit.within.mean < HOUR < fit.between.mean,
            f"the short and the long silences would be {_means(fit)} on average, both on the same side of an hour",
        ),
        (
            min(fit.within.weight, fit.between.weight) < LEAST_WEIGHT,
            f"only {min(fit.within.weight, fit.between.weight):.1%} of the silences would be of the one kind",
        ),
        (
            not all(SPREADS[0] <= part.sd <= SPREADS[1] for part in (fit.within, fit.between)),
            f"silences of one kind are too much alike, or too different (deviations of {fit.within.sd:.2f} and {fit.between.sd:.2f} octaves)",
        ),
        (
            fit.ks > MOST_DISTANCE,
            f"short and long silences alone do not describe this log (they miss it by {fit.ks:.3f}; at most {MOST_DISTANCE:g})",
        ),
        (fit.cut_s is None, "there is no length between the short and the long silences at which they are as many"),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _means(fit: Fit) -> str:
    return f"{_time(fit.within.mean)} and {_time(fit.between.mean)}"


def _time(log2_seconds: float) -> str:
    seconds = 2**log2_seconds
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def as_data(fit: Fit, in_force_s: float | None) -> dict[str, Any]:
    """The fit with the names that scripts rely on.

    Args:
        fit: One that is trusted.
        in_force_s: The timeout in force, in seconds; None where there is none.
    """
    timeouts = [fit.cut_s, *([] if in_force_s is None or in_force_s == fit.cut_s else [in_force_s])]
    return {
        "cut_s": fit.cut_s,
        "within": fit.within._asdict(),
        "between": fit.between._asdict(),
        "ks": fit.ks,
        "costs": [fit.cost(timeout) for timeout in timeouts if timeout is not None],
    }
