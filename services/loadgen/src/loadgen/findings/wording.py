"""Ratios, shares and what a comparison found, as sentences and tables have them."""

from loadgen.findings.comparisons import Comparison


def in_words(comparison: Comparison) -> str:
    """`1.240 [1.118–1.375]`, or the verdict where there is no interval, or why there is none."""
    ratio = comparison.difference
    if comparison.instead:
        return comparison.instead
    if not ratio or ratio.low is None or ratio.high is None:
        return comparison.verdict
    return f"{ratio_text(ratio.ratio)} [{ratio_text(ratio.low)}–{ratio_text(ratio.high)}]"


def ratio_text(ratio: float) -> str:
    """A ratio with the digits that matter."""
    return f"{ratio:.3f}" if ratio < 10 else f"{ratio:.1f}"


def percent_text(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f} %"
