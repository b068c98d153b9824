"""What a run says about the claims of its suites: `[[compare]]` entries that have words.

A claim says that one side is better than the other: in each of its metrics, and than each case of
the other side ("best of six" means better than five). So its null hypothesis is a union, and it
holds where every one of its comparisons is `better` by its own 95 % interval: R. L. Berger,
"Multiparameter Hypothesis Testing and Acceptance Sampling", Technometrics 24(4), 1982 (the
intersection–union test). It needs no adjustment for many comparisons, since all must agree.

It falls with any of them, so there chance has many chances: it is refuted where a comparison says
`worse`, or `equivalent` (as good as equal is not better), and still does so after S. Holm's
adjustment (Scand. J. Stat. 6(2), 1979) over all comparisons of the claim.

In all other cases it cannot be told. Two trials at the same ceiling tell nothing about throughput
and latency: what is there is the users', the slots' or the pool's doing.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from loadgen.findings.comparisons import (
    HIGHER_IS_BETTER,
    Comparison,
    ComparisonKey,
    answer_to,
    of_suite,
)
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.theory.statistics import ALARM, equivalence_p, holm

ClaimOutcome = Literal["holds", "refuted", "cannot be told"]

#: What these measure is the server's doing also where users cannot ask for more.
COST = frozenset({"app_cpu_ms_per_view", "app_cpu_share", "app_pss_mib", "app_peak_mib"})


@dataclass(frozen=True)
class Part:
    """A claim in one metric, against all the cases that it speaks of.

    Attributes:
        outcome: of this metric alone.
        comparisons: how many the claim makes in this metric.
        deciding: the comparison that decides: where it holds, the weakest; where it is refuted, the
            strongest against it; else the one that is furthest from showing it. None where nothing
            of it has been measured.
        reason: what decides, in a few words; may be empty.
    """

    metric: str
    outcome: ClaimOutcome
    comparisons: int
    deciding: Comparison | None
    reason: str


@dataclass(frozen=True)
class Claim:
    """A claim, as one suite asks for it.

    Attributes:
        http_clients: those of its cases.
        parts: by metric, in the order of the suite.
    """

    words: str
    suite: str
    http_clients: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> ClaimOutcome:
        """It holds if every part holds, and falls with any."""
        outcomes = {part.outcome for part in self.parts}
        if "refuted" in outcomes:
            return "refuted"
        return "holds" if outcomes == {"holds"} else "cannot be told"


def judge_claims(suites: Iterable[Suite], comparisons: Iterable[Comparison]) -> list[Claim]:
    """Every claim of which something was measured; the same words one after the other.

    Args:
        suites: those of the run. Of one that the command line has narrowed, the cases that were
            left out count as not measured: better than one rival is not better than five.
        comparisons: all of the run, as `comparisons.compare_cases` gives them.
    """
    listed = list(comparisons)
    by_its_words: dict[str, list[Claim]] = {}
    for suite in suites:
        by_key = {comparison.key: comparison for comparison in of_suite(suite, listed)}
        for entry in suite.compare:
            if entry.words is None:
                continue
            claim = _claim(suite, entry, entry.words, by_key)
            if any(part.deciding for part in claim.parts):
                by_its_words.setdefault(claim.words, []).append(claim)
    return [claim for claims in by_its_words.values() for claim in claims]


def _claim(
    suite: Suite, entry: Compare, words: str, by_key: Mapping[ComparisonKey, Comparison]
) -> Claim:
    pairs = list(entry.pairs(suite.whole))
    asked = {
        metric: [answer_to(by_key, suite, entry, pair, metric) for pair in pairs]
        for metric in entry.metrics
    }
    against = _against([comparison for comparison in chain(*asked.values()) if comparison])
    clients = dict.fromkeys(case.http_client for a, b in pairs for case in (b, a))
    return Claim(
        words=words,
        suite=suite.name,
        http_clients=tuple(filter(None, clients)),
        parts=tuple(_part(metric, of_metric, against) for metric, of_metric in asked.items()),
    )


def _against(comparisons: Sequence[Comparison]) -> dict[ComparisonKey, float]:
    """By comparison: the p-value of what it says against the claim, adjusted; 1: nothing."""
    adjusted = holm([_p_against(comparison) for comparison in comparisons])
    return dict(zip((comparison.key for comparison in comparisons), adjusted, strict=True))


def _p_against(comparison: Comparison) -> float:
    ratio = comparison.difference
    if comparison.instead and comparison.verdict == "worse":
        return 0.0  # it answered nobody
    if ratio is None or ratio.p is None or _says_nothing(comparison):
        return 1.0
    if comparison.verdict == "worse":
        return ratio.p
    return equivalence_p(ratio) if comparison.verdict == "equivalent" else 1.0


def _says_nothing(comparison: Comparison) -> bool:
    return comparison.same_ceiling and comparison.metric not in COST


def _part(
    metric: str, asked: Sequence[Comparison | None], against: Mapping[ComparisonKey, float]
) -> Part:
    def part(
        outcome: ClaimOutcome, deciding: Comparison | None, reasons: Mapping[str, int]
    ) -> Part:
        return Part(metric, outcome, len(asked), deciding, _of(reasons, len(asked)))

    measured = [comparison for comparison in asked if comparison]
    refuting = [comparison for comparison in measured if against[comparison.key] < ALARM]
    if refuting:
        reasons = Counter[str](comparison.verdict for comparison in refuting)
        return part("refuted", min(refuting, key=_in_favour), reasons)
    unshown = [
        comparison
        for comparison in measured
        if comparison.verdict != "better" or _says_nothing(comparison)
    ]
    missing = len(asked) - len(measured)
    if not unshown and not missing:
        return part("holds", min(measured, key=_in_favour), {})
    why = Counter(map(_why_unshown, unshown))
    if missing:
        why["not measured"] = missing
    return part("cannot be told", min(unshown or measured, key=_in_favour, default=None), why)


def _of(reasons: Mapping[str, int], of: int) -> str:
    """`undecided (4 of 5)`; of a single comparison without the count."""
    return "; ".join(
        f"{reason} ({count} of {of})" if of > 1 else reason for reason, count in reasons.items()
    )


def _in_favour(comparison: Comparison) -> float:
    """How much better than the rival b is at least, as a ratio; infinite where it is not known, or
    the rival answered nobody.
    """
    ratio = comparison.difference
    if ratio is None:
        return 0.0 if comparison.instead and comparison.verdict == "worse" else math.inf
    low, high = ratio.surely or (ratio.ratio, ratio.ratio)
    return low if comparison.metric in HIGHER_IS_BETTER else 1 / high


def _why_unshown(comparison: Comparison) -> str:
    if _says_nothing(comparison):
        return "both at the same ceiling"
    if comparison.verdict == "not comparable":
        return comparison.reason
    if comparison.verdict == "undecided":
        return comparison.instead or "undecided"
    return f"{comparison.verdict}, which may be chance"
