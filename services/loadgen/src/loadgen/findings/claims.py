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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Literal

from loadgen.findings.comparisons import HIGHER_IS_BETTER, Comparison, of_suite
from loadgen.suites.pairs import Compare
from loadgen.suites.suite import Suite
from loadgen.theory.statistics import ALARM, equivalence_p, holm

Outcome = Literal["holds", "refuted", "cannot be told"]

#: What these measure is the server's doing also where users cannot ask for more.
COST = frozenset({"app_cpu_ms_per_view", "app_cpu_share", "app_pss_mib", "app_peak_mib"})


@dataclass(frozen=True)
class Part:
    """A claim in one metric, against all the cases that it speaks of.

    Attributes:
        metric: the column.
        outcome: of this metric alone.
        comparisons: how many the claim makes in this metric.
        deciding: the comparison that decides: where it holds, the weakest; where it is refuted, the
            strongest against it; else the one that is furthest from showing it. None where nothing
            of it has been measured.
        reason: what decides, in a few words; may be empty.
    """

    metric: str
    outcome: Outcome
    comparisons: int
    deciding: Comparison | None
    reason: str


@dataclass(frozen=True)
class Claim:
    """A claim, as one suite asks for it.

    Attributes:
        words: what is claimed.
        suite: which suite asks.
        http_clients: those of its cases.
        parts: by metric, in the order of the suite.
    """

    words: str
    suite: str
    http_clients: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> Outcome:
        """It holds if every part holds, and falls with any."""
        outcomes = {part.outcome for part in self.parts}
        if "refuted" in outcomes:
            return "refuted"
        return "holds" if outcomes == {"holds"} else "cannot be told"


def judge(suites: Iterable[Suite], comparisons: Iterable[Comparison]) -> list[Claim]:
    """Every claim of which something was measured; the same words one after the other.

    Args:
        suites: those of the run. Of one that the command line has narrowed, the cases that were
            left out count as not measured: better than one rival is not better than five.
        comparisons: all of the run, as `comparisons.compare` gives them.
    """
    listed = list(comparisons)
    found: dict[str, list[Claim]] = {}
    for suite in suites:
        by_key = {(one.a, one.b, one.metric): one for one in of_suite(suite, listed)}
        for entry in suite.compare:
            if entry.words is None:
                continue
            claim = _claim(suite, entry, entry.words, by_key)
            if any(part.deciding for part in claim.parts):
                found.setdefault(claim.words, []).append(claim)
    return [claim for claims in found.values() for claim in claims]


def by_words(claims: Iterable[Claim]) -> Iterator[tuple[str, list[Claim]]]:
    """The claims in groups of the same words: with the article's client, with another, …."""
    for words, group in groupby(claims, key=attrgetter("words")):
        yield words, list(group)


type _Key = tuple[str, str, str]


def _claim(suite: Suite, entry: Compare, words: str, by_key: Mapping[_Key, Comparison]) -> Claim:
    pairs = list(entry.pairs(suite.whole))
    asked = {
        metric: [by_key.get((a.slug, b.slug, metric)) for a, b in pairs] for metric in entry.metrics
    }
    against = _against([one for of_metric in asked.values() for one in of_metric if one])
    clients = dict.fromkeys(case.http_client for a, b in pairs for case in (b, a))
    return Claim(
        words=words,
        suite=suite.name,
        http_clients=tuple(filter(None, clients)),
        parts=tuple(_part(metric, of_metric, against) for metric, of_metric in asked.items()),
    )


def _against(comparisons: Sequence[Comparison]) -> dict[_Key, float]:
    """By comparison: the p-value of what it says against the claim, adjusted; 1: nothing."""
    adjusted = holm([_p_against(one) for one in comparisons])
    keys = [(one.a, one.b, one.metric) for one in comparisons]
    return dict(zip(keys, adjusted, strict=True))


def _p_against(comparison: Comparison) -> float:
    found = comparison.difference
    if comparison.instead and comparison.verdict == "worse":
        return 0.0  # it answered nobody
    if found is None or found.p is None or _says_nothing(comparison):
        return 1.0
    if comparison.verdict == "worse":
        return found.p
    return equivalence_p(found) if comparison.verdict == "equivalent" else 1.0


def _says_nothing(comparison: Comparison) -> bool:
    return comparison.same_ceiling and comparison.metric not in COST


def _part(metric: str, asked: Sequence[Comparison | None], against: Mapping[_Key, float]) -> Part:
    measured = [one for one in asked if one]
    missing = len(asked) - len(measured)
    refuting = [one for one in measured if against[one.a, one.b, one.metric] < ALARM]
    if refuting:
        strongest = min(refuting, key=_in_favour)
        return Part(metric, "refuted", len(asked), strongest, _counted(refuting, len(asked)))
    unshown = [one for one in measured if one.verdict != "better" or _says_nothing(one)]
    if not unshown and not missing:
        return Part(metric, "holds", len(asked), min(measured, key=_in_favour), "")
    reasons = Counter(_why_unshown(one) for one in unshown)
    if missing:
        reasons["not measured"] = missing
    deciding = min(unshown or measured, key=_in_favour, default=None)
    return Part(metric, "cannot be told", len(asked), deciding, _of(reasons, len(asked)))


def _counted(comparisons: Iterable[Comparison], of: int) -> str:
    return _of(Counter(one.verdict for one in comparisons), of)


def _of(reasons: Mapping[str, int], of: int) -> str:
    """`undecided (4 of 5)`; of a single comparison without the count."""
    return "; ".join(
        f"{reason} ({count} of {of})" if of > 1 else reason for reason, count in reasons.items()
    )


def _in_favour(comparison: Comparison) -> float:
    """How much better than the rival b is at least, as a ratio; infinite where it is not known, or
    the rival answered nobody.
    """
    found = comparison.difference
    if found is None:
        return 0.0 if comparison.instead and comparison.verdict == "worse" else math.inf
    if comparison.metric in HIGHER_IS_BETTER:
        return found.ratio if found.low is None else found.low
    return 1 / (found.ratio if found.high is None else found.high)


def _why_unshown(comparison: Comparison) -> str:
    if _says_nothing(comparison):
        return "both at the same ceiling"
    if comparison.verdict == "not comparable":
        return comparison.reason
    if comparison.verdict == "undecided":
        return comparison.instead or "undecided"
    return f"{comparison.verdict}, which may be chance"
