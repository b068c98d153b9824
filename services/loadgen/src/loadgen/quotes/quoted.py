"""What a quote says, worked out from the rows of its run."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from loadgen.documents.words import plain_ratio, with_bounds
from loadgen.errors import ConfigurationError
from loadgen.findings.capacity import stacks
from loadgen.findings.comparisons import Comparison
from loadgen.findings.earlier_run import Run
from loadgen.findings.summary import over_rounds, that_count, what_bound
from loadgen.findings.waterfalls import waterfalls
from loadgen.quotes.probe_worth import probe_worth
from loadgen.quotes.quotes_file import Quote
from loadgen.records.columns import last_attempts, rows_by_case
from loadgen.suites.labels import WRITTEN
from loadgen.theory.statistics import MARGIN, Interval

#: What prose may say of a verdict.
IN_PROSE: Mapping[str, frozenset[str]] = {
    "better": frozenset({"can be told", "better"}),
    "worse": frozenset({"can be told", "worse"}),
    "may be chance": frozenset({"may be chance"}),
    "equivalent": frozenset({"equivalent", "does not matter", "do not matter"}),
    "undecided": frozenset({"cannot be told", "undecided"}),
    "not comparable": frozenset({"cannot be compared", "not comparable"}),
    "holds": frozenset({"holds"}),
    "refuted": frozenset({"refuted"}),
    "cannot be told": frozenset({"cannot be told"}),
}
CHANCE = "may be chance"
#: The same of any difference of which the whole interval is less than matters.
SMALL = frozenset({"does not matter", "do not matter"})


@dataclass(frozen=True)
class Quoted:
    """What a quote says.

    Attributes:
        texts: by name, the forms that a page may show; the first is the usual one.
        verdict: of a comparison or a claim; empty elsewhere.
        is_small: of a comparison: it is known to be less than matters.
    """

    texts: Mapping[str, str]
    verdict: str = ""
    is_small: bool = False

    @property
    def words(self) -> frozenset[str]:
        """What prose may say of it."""
        words = IN_PROSE.get(self.verdict, frozenset())
        return words | SMALL if self.is_small else words


def quoted(name: str, quote: Quote, run: Run) -> Quoted:
    """What a quote says of its run.

    Raises:
        ConfigurationError: the run has nothing of the kind, or more than one of it; or its verdict
            is not the one that the quote names.
    """
    try:
        made = _MAKERS[quote.kind](quote, run)
    except _NotThereError as error:
        raise ConfigurationError(f"{name}: {run.name} {error}") from error
    if quote.verdict != made.verdict:
        raise ConfigurationError(
            f'{name}: the prose was written for "{quote.verdict}", and {run.name} says '
            f'"{made.verdict}": read the sentence again'
        )
    return made


class _NotThereError(Exception):
    """The run has nothing of the kind, or several."""


def _only[T](what: str, found: Iterable[tuple[str, T]]) -> T:
    """The one that was found, of names and things."""
    listed = list(found)
    if len(listed) != 1:
        names = ", ".join(sorted(name for name, _ in listed)) or "none"
        raise _NotThereError(f"must have exactly one {what}, and has: {names}")
    return listed[0][1]


def _is_named(slug: str, words: str) -> bool:
    """Whether all words are parts of a case's slug, in any order."""
    return set(words.split()) <= set(slug.split("_"))


def _comparison(quote: Quote, run: Run) -> Quoted:
    found = (
        (f"{each.a} → {each.b}", each)
        for each in run.comparisons
        if each.metric == quote.metric
        and each.duet == quote.duet
        and _is_named(each.a, quote.a)
        and _is_named(each.b, quote.b)
    )
    what = f"comparison of {quote.a} → {quote.b} in {quote.metric}"
    return _of_comparison(_only(what, found), quote.digits)


def _step(quote: Quote, run: Run) -> Quoted:
    found = (
        (f"{waterfall.title}: {stage.words}", stage.changes[quote.metric])
        for waterfall in waterfalls(run.suites, run.rows)
        if waterfall.title == quote.waterfall
        for stage in waterfall.orders.get(quote.order, ())
        if stage.words == quote.step and quote.metric in stage.changes
    )
    return _of_comparison(_only(f'step "{quote.step}" in {quote.metric}', found), quote.digits)


def _of_comparison(comparison: Comparison, digits: int | None) -> Quoted:
    verdict: str = comparison.verdict
    if comparison.is_alarm and CHANCE in comparison.reason:
        verdict = CHANCE
    how = comparison.difference
    if how is None or how.low is None or how.high is None:
        return Quoted({"instead": comparison.instead or comparison.reason}, verdict)
    write = _digits(digits) if digits is not None else plain_ratio
    span = f"[{write(how.low)}–{write(how.high)}]"
    change = abs(1 - how.ratio)
    texts = {
        "ratio": f"×{write(how.ratio)} {span}",
        "plain": f"{write(how.ratio)} {span}",
        "times": f"×{write(how.ratio)}",
        "number": write(how.ratio),
        "low": write(how.low),
        "high": write(how.high),
        "interval": span,
        "change": f"{100 * change:.0f} %",
        "rounds": str(how.rounds),
    }
    low, high = how.surely or (0.0, math.inf)
    return Quoted(texts, verdict, is_small=low > 1 / (1 + MARGIN) and high < 1 + MARGIN)


def _case(quote: Quote, run: Run) -> Quoted:
    found = (
        (slug, rows) for slug, rows in rows_by_case(run.rows).items() if _is_named(slug, quote.case)
    )
    rows = _only(f"case {quote.case}", found)
    metric = quote.metric
    digits = quote.digits if quote.digits is not None else WRITTEN.get(metric, ("", 1))[1]
    write = _digits(digits)
    mean = over_rounds(rows, metric)
    counted = that_count(rows, metric)
    each = [row.number(metric) for row in counted]
    known = [value for value in each if value is not None]
    every = [row.number(metric) for row in last_attempts(rows)]
    texts = {
        **_of_mean(mean, write),
        "least": write(min(known)) if known else "",
        "most": write(max(known)) if known else "",
        "each": ", ".join("–" if value is None else write(value) for value in every),
        "bound_by": what_bound(counted),
        "rounds": str(len(counted)),
    }
    return Quoted(texts)


def _of_mean(mean: Interval | None, write: Callable[[float], str]) -> dict[str, str]:
    if mean is None:
        return {}
    texts = {"value": write(mean.mean), "percent": f"{100 * mean.mean:.0f} %"}
    if mean.low is not None and mean.high is not None:
        span = f"[{write(mean.low)}–{write(mean.high)}]"
        texts |= {"interval": span, "with_interval": f"{write(mean.mean)} {span}"}
    return texts


def _stack(quote: Quote, run: Run) -> Quoted:
    found = (
        (stack.name, stack)
        for suite in run.suites
        if suite.search
        for stack in stacks(suite, run.rows)
        if _is_named(stack.rounds[0].case.slug, quote.stack)
    )
    stack = _only(f"stack {quote.stack}", found)
    low, high = stack.low_rps_per_cpu, stack.high_rps_per_cpu
    texts = {} if low is None or high is None else {"range": f"{low:.0f}–{high:.0f}"}
    for name, attribute, digits in (
        ("of_ceiling", "share_of_ceiling", 2),
        ("cpu", "app_cpu_ms_per_view", 1),
        ("memory", "memory_mib_per_view", 2),
    ):
        if (mean := stack.mean(attribute)) is not None:
            texts[name] = f"{mean:.{digits}f}"
    texts |= {"rounds": str(len(stack.bracketed))}
    if (share := stack.share_of_no_http) is not None:
        texts["share"] = with_bounds(share, 2)
    return Quoted(texts)


def _claim(quote: Quote, run: Run) -> Quoted:
    found = (
        (claim.words, claim)
        for claim in run.claims
        if claim.suite == quote.suite and claim.words.startswith(quote.claim)
    )
    claim = _only(f'claim "{quote.claim}"', found)
    return Quoted({"outcome": claim.outcome}, claim.outcome)


def _alarms(quote: Quote, run: Run) -> Quoted:
    asked = [
        each
        for each in run.comparisons
        if each.metric == quote.alarms and each.difference and each.difference.p is not None
    ]
    raised = sum(each.is_alarm for each in asked)
    return Quoted({"alarms": f"{raised} of {len(asked)}"})


def _probe(_quote: Quote, run: Run) -> Quoted:
    worth = probe_worth(run.rows)
    if worth is None:
        raise _NotThereError("has too few rows that know the probe")
    return Quoted(
        {
            "r": f"{worth.probe_r:.2f}",
            "loop_r": f"{worth.loop_r:.2f}",
            "measured": f"{100 * worth.cpu_sd:.1f} %",
            "reference": f"{100 * worth.reference_sd:.1f} %",
            "rows": str(worth.rows),
        }
    )


def _run(_quote: Quote, run: Run) -> Quoted:
    environment = run.environment
    began = datetime.fromisoformat(environment["started_at"])
    rounds = {row["round"] for row in run.rows}
    return Quoted(
        {
            "date": f"{began.day} {began:%B %Y}",
            "rounds": str(len(rounds)),
            "trials": str(len({row["position"] for row in run.rows})),
            "folder": run.name,
        }
    )


def _digits(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}"


type _Maker = Callable[[Quote, Run], Quoted]
_MAKERS: Mapping[str, _Maker] = {
    "comparison": _comparison,
    "step": _step,
    "case": _case,
    "stack": _stack,
    "claim": _claim,
    "alarms": _alarms,
    "probe": _probe,
    "run": _run,
}
