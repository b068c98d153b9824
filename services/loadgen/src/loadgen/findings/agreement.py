"""Whether two runs say the same of what their suites claim and compare; and if not, why not.

Nothing here is judged anew: each run's outcomes stand side by side. Why two differ is read from
their rows: what bound the servers, ceilings, ranking, precision, and what of the environments is
not the same.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from loadgen.findings.claims import COST, Claim, Part
from loadgen.findings.comparisons import Comparison, ComparisonKey, in_words, percent_text
from loadgen.findings.earlier_run import Run
from loadgen.findings.environment_differences import Differing, kinds
from loadgen.findings.summary import that_count, what_bound
from loadgen.suites.labels import metric_name

#: Outcomes that say something.
CLAIMED = ("holds", "refuted")
COMPARED = ("better", "worse", "equivalent")


@dataclass(frozen=True)
class Disagreement:
    """Something of which the runs do not say the same.

    Attributes:
        what: the claim with its clients, or the comparison with its metric.
        a, b: what each says.
        because: what the rows say of the reason; may be empty.
        flips: each of them says something; otherwise only one of them could tell.
    """

    what: str
    a: str
    b: str
    because: Sequence[str]
    flips: bool


@dataclass(frozen=True)
class Agreement:
    """What two runs say of the same questions.

    Attributes:
        what: `claim` or `comparison`.
        shared: how many both ask.
        apart: those of which they do not say the same; what flips goes first.
    """

    what: str
    shared: int
    apart: Sequence[Disagreement]


type _ByKey = Mapping[ComparisonKey, Comparison]


def agreements(a: Run, b: Run, others: Sequence[Differing]) -> list[Agreement]:
    """Of the claims, and of all that the suites compare; those of which both have some."""
    by_a = {comparison.key: comparison for comparison in a.comparisons}
    by_b = {comparison.key: comparison for comparison in b.comparisons}
    claims_a = {_name(claim): claim for claim in a.claims}
    claims_b = {_name(claim): claim for claim in b.claims}
    why = _Why(a, b, kinds(others))
    both = (
        _agreement(
            "claim",
            {name: claim.outcome for name, claim in claims_a.items()},
            {name: claim.outcome for name, claim in claims_b.items()},
            CLAIMED,
            because=lambda name: list(why.claims(claims_a[name], claims_b[name], by_a, by_b)),
        ),
        _agreement(
            "comparison",
            {key: comparison.verdict for key, comparison in by_a.items()},
            {key: comparison.verdict for key, comparison in by_b.items()},
            COMPARED,
            because=lambda key: list(why.comparisons(by_a.get(key), by_b.get(key))),
            name=lambda key: f"{by_a[key].label}: {metric_name(key[2])}",
        ),
    )
    return [agreement for agreement in both if agreement.shared]


def _agreement[Key: Hashable](
    what: str,
    a: Mapping[Key, str],
    b: Mapping[Key, str],
    telling: Sequence[str],
    because: Callable[[Key], list[str]],
    name: Callable[[Key], str] = str,
) -> Agreement:
    """Outcomes by key, side by side."""
    shared = [key for key in a if key in b]
    apart = []
    for key in shared:
        tells_a, tells_b = a[key] in telling, b[key] in telling
        if a[key] != b[key] and (tells_a or tells_b):
            flips = tells_a and tells_b
            apart.append(Disagreement(name(key), a[key], b[key], because(key), flips))
    apart.sort(key=lambda disagreement: not disagreement.flips)
    return Agreement(what, len(shared), apart)


@dataclass(frozen=True)
class _Why:
    """Reads from two runs why they do not say the same."""

    a: Run
    b: Run
    other_kinds: Sequence[str]

    def claims(self, a: Claim, b: Claim, by_a: _ByKey, by_b: _ByKey) -> Iterator[str]:
        """By metric: what decides a part of which the runs differ, in each of them."""
        parts_b = {part.metric: part for part in b.parts}
        for part in a.parts:
            other = parts_b.get(part.metric)
            if not other or part.outcome == other.outcome:
                continue
            name = metric_name(part.metric)
            for run, of_run in ((self.a, part), (self.b, other)):
                if of_run.outcome == "cannot be told" and of_run.reason:
                    yield f"{name}: {of_run.reason} in {run.name}"
            if decided := _deciding(part, other):
                reasons = self._of_pair(by_a.get(decided.key), by_b.get(decided.key))
                yield from (f"{name}, {decided.label}: {reason}" for reason in reasons)
        yield from self._elsewhere()

    def comparisons(self, a: Comparison | None, b: Comparison | None) -> Iterator[str]:
        """What tells a comparison of one run from the same of the other."""
        yield from self._of_pair(a, b)
        yield from self._elsewhere()

    def _elsewhere(self) -> Iterator[str]:
        if self.other_kinds:
            yield f"the environments differ: {', '.join(self.other_kinds)}"

    def _of_pair(self, a: Comparison | None, b: Comparison | None) -> Iterator[str]:
        both = ((self.a, a), (self.b, b))
        for run, comparison in both:
            if comparison is None:
                yield f"not measured in {run.name}"
            elif comparison.difference is None:
                yield f"{comparison.reason} in {run.name}"
        if a is None or b is None:
            return
        if a.metric not in COST and a.same_ceiling != b.same_ceiling:
            at_it = self.a if a.same_ceiling else self.b
            yield f"both sides are at the same ceiling in {at_it.name} only"
        for case in () if a.load or b.load or a.duet else (a.a, a.b):
            of_a, of_b = (what_bound(that_count(run.by_case[case])) for run, _ in both)
            if of_a != of_b:
                server = self.a.by_case[case][0]["server"]
                yield (
                    f"{server} is bound by {of_a or 'nothing known'} in {self.a.name}, "
                    f"by {of_b or 'nothing known'} in {self.b.name}"
                )
        for run, comparison in ((self.a, a), (self.b, b)):
            ratio = comparison.difference
            if comparison.verdict == "undecided" and ratio and ratio.smallest_detectable_ratio:
                smallest = percent_text(ratio.smallest_detectable_ratio - 1)
                yield f"{run.name} cannot find differences under {smallest}"
        if a.difference and b.difference:
            yield f"{in_words(a)} in {self.a.name}, {in_words(b)} in {self.b.name}"


def _deciding(part: Part, other: Part) -> Comparison | None:
    """Of two runs' parts of a claim: what refutes it, else what leaves it open."""
    by_outcome = {part.outcome: part.deciding, other.outcome: other.deciding}
    return by_outcome.get("refuted") or by_outcome.get("cannot be told")


def _name(claim: Claim) -> str:
    clients = f" ({', '.join(claim.http_clients)})" if claim.http_clients else ""
    return f"“{claim.words}”{clients} [{claim.suite}]"
