"""What to change first: a suite's `[[compare]]` entries that name a change, judged and in order.

Throughput judges a change where it can. It cannot where both sides make all that the same users,
slots or pool allow, or as good as the same number of views, or where it scatters too much. There
CPU per view judges: what a view costs less is what more users find. It also does where it alone is
known within PRECISE. Unless throughput leans the other way by more than what matters: then nothing
is told, so that a run with other luck does not say the opposite.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from loadgen.findings.comparisons import HIGHER_IS_BETTER, Comparison, answer_to, of_suite
from loadgen.suites.labels import metric_name
from loadgen.suites.suite import Suite
from loadgen.theory.statistics import ALARM, MARGIN

#: The best first. `small` is better or worse by less than what matters; `not comparable` has a
#: reason.
Standing = Literal["better", "small", "equivalent", "undecided", "worse", "not comparable"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)

#: What judges a change, in this order, as far as the suite asks for it.
JUDGES = ("rps", "app_cpu_ms_per_view", "p95_ms", "p50_ms")
#: A ratio is known well where its interval reaches no further than × and ÷ this.
PRECISE = 1.10
#: What is said of the first change in its one sentence, beside what judges it.
GAINS = ("rps", "app_cpu_ms_per_view")


@dataclass(frozen=True)
class Effect:
    """What a change does, from one case to another.

    Attributes:
        change: the suite's words, such as `share the client`.
        where: the two cases, in words.
        judged: the comparison that decides.
        besides: what else the suite asks of the two and can be told, in its order.
        standing: what the change is worth.
        same_ceiling: both sides make all that the same ceiling allows.
    """

    change: str
    where: str
    judged: Comparison
    besides: tuple[Comparison, ...]
    standing: Standing
    same_ceiling: bool


def effects(suite: Suite, comparisons: Iterable[Comparison]) -> list[Effect]:
    """Every change that a suite asks for and of which something was measured, the best first.

    What makes more views goes before what makes them cheaper, and of each what does more.
    """
    by_key = {comparison.key: comparison for comparison in of_suite(suite, comparisons)}
    changes = []
    for entry in suite.compare:
        if entry.change is None:
            continue
        for a, b in entry.pairs(suite.cases):
            asked = [answer_to(by_key, suite, entry, (a, b), metric) for metric in entry.metrics]
            measured = [comparison for comparison in asked if comparison]
            if measured:
                changes.append(_effect(entry.change, measured))
    return sorted(changes, key=_place)


def _effect(change: str, measured: Sequence[Comparison]) -> Effect:
    judged = _judge(measured)
    return Effect(
        change=change,
        where=judged.without_load,
        judged=judged,
        besides=tuple(other for other in measured if other is not judged and other.difference),
        standing=_standing(judged),
        same_ceiling=any(comparison.same_ceiling for comparison in measured),
    )


def _judge(measured: Sequence[Comparison]) -> Comparison:
    """The comparison that decides: the first of JUDGES that tells a difference and knows it well,
    else the first that tells one, else the first that is known and could have told one, else any
    that there is.
    """

    def rank(comparison: Comparison) -> int:
        return JUDGES.index(comparison.metric) if comparison.metric in JUDGES else len(JUDGES)

    able = sorted(measured, key=rank)
    telling = [each for each in able if each.metric in GAINS and _tells(each)]
    if telling:
        best = min(telling, key=_is_wide)  # of several the first
        return able[0] if any(_leans_against(other, best) for other in able) else best
    for comparison in able:
        known = comparison.difference or comparison.instead
        if known and not (comparison.metric == "rps" and _is_level(comparison)):
            return comparison
    return next((comparison for comparison in able if comparison.difference), able[0])


def _tells(comparison: Comparison) -> bool:
    """Whether it is known to be a difference that matters."""
    if comparison.metric == "rps" and _is_level(comparison):
        return False
    matters = _size(comparison) >= math.log1p(MARGIN)
    return _standing(comparison) in ("better", "worse") and matters


def _is_wide(comparison: Comparison) -> bool:
    """Whether its interval reaches further than × and ÷ PRECISE; not of a side that answered
    nobody.
    """
    ratio = comparison.difference
    if ratio is None:
        return False
    low, high = ratio.low, ratio.high
    return low is None or high is None or high / low > PRECISE**2


def _leans_against(throughput: Comparison, cost: Comparison) -> bool:
    """Whether views/s, as they were measured, point the other way by more than what matters."""
    if throughput.metric != "rps" or cost is throughput or throughput.difference is None:
        return False
    if _is_level(throughput) or _size(throughput) < math.log1p(MARGIN):
        return False
    more = throughput.difference.ratio > 1
    return more == (_standing(cost) == "worse")


def _is_level(comparison: Comparison) -> bool:
    """Whether both sides are at the same ceiling, or known to differ by less than what matters."""
    is_known = comparison.verdict in ("better", "worse", "equivalent")
    return comparison.same_ceiling or (is_known and _size(comparison) < math.log1p(MARGIN))


def _standing(comparison: Comparison) -> Standing:
    if comparison.verdict == "not comparable":
        return "not comparable"
    if comparison.is_alarm and (comparison.p_adjusted or 0) >= ALARM:
        return "undecided"
    if comparison.is_alarm and _size(comparison) < math.log1p(MARGIN):
        return "small"
    return comparison.verdict


def _size(comparison: Comparison) -> float:
    """How far from none it is, whichever the direction; infinite where a side answered nobody."""
    if comparison.difference is None:
        return math.inf if comparison.instead else 0.0
    return abs(math.log(comparison.difference.ratio))


def _place(effect: Effect) -> tuple[int, bool, float]:
    throughput = effect.judged.metric in HIGHER_IS_BETTER
    return STANDINGS.index(effect.standing), not throughput, -_size(effect.judged)


#: How a metric is called in a sentence.
NAMES = {"rps": "views/s", "app_cpu_ms_per_view": "CPU per view"}


def what_to_change_first(changes: Sequence[Effect]) -> str:
    """What to change first, by how much, and from where to where."""
    best = [effect for effect in changes if effect.standing == "better"]
    if best:
        first, *others = [effect for effect in best if effect.change == best[0].change]
        words = f"Change first: {first.change} ({first.where}). {_gains(first)}"
        elsewhere = (f"The same from {other.where}. {_gains(other)}" for other in others)
        return " ".join([words, *elsewhere])
    standings = {effect.standing for effect in changes}
    if "undecided" in standings:
        return "Undecided: no change is known to help. More rounds or longer windows may tell."
    if standings <= {"not comparable"}:
        return "None of these changes can be compared."
    if "not comparable" in standings:
        return "Of the changes that can be compared, none is worth making."
    return "None of these changes is worth making."


#: What a change is worth that is not the first, in a few words.
WORTH: dict[Standing, str] = {
    "better": "worth it too",
    "small": "too small a difference to matter",
    "equivalent": "does not matter",
    "undecided": "undecided",
    "worse": "worse",
    "not comparable": "cannot be compared",
}


def what_else(changes: Sequence[Effect]) -> Iterator[str]:
    """What each change is worth that is not told to be made first: `sync → async (…): does not
    matter. CPU per view ×1.01 [0.99–1.02].`
    """
    first = next((effect.change for effect in changes if effect.standing == "better"), None)
    for effect in changes:
        if effect.change != first:
            judged = effect.judged
            known = judged.difference or judged.instead
            words = _as_a_sentence(_figures(judged) if known else judged.reason)
            yield f"{effect.change} ({effect.where}): {WORTH[effect.standing]}. {words}"


def _gains(effect: Effect) -> str:
    """What the best change brings, a sentence each: in views/s and in CPU per view, as far as they
    are known.
    """
    told = (other for other in effect.besides if other.metric in GAINS and _tells(other))
    figures = [_in_words(effect), *(_beside(effect, other) for other in told)]
    return " ".join(map(_as_a_sentence, figures))


def _as_a_sentence(words: str) -> str:
    """With a full stop, and a capital where no name begins it."""
    return f"V{words[1:]}." if words.startswith("views/s") else f"{words}."


def line(effect: Effect) -> str:
    """`share the client (uvicorn: a-client → another): views/s ×1.83 [1.79–1.87]; p95 …`."""
    besides = [_beside(effect, comparison) for comparison in effect.besides]
    return f"{effect.change} ({effect.where}): {'; '.join([_in_words(effect), *besides])}"


def _in_words(effect: Effect) -> str:
    judged = effect.judged
    if effect.standing == "not comparable":
        return f"not comparable: {judged.reason}"
    if effect.standing == "undecided" and judged.is_alarm:
        return _figures(judged, " (undecided: may be chance)")
    if effect.standing == "small":
        return _figures(judged, f" ({judged.verdict}, by less than {MARGIN:.0%})")
    return _with_verdict(judged)


def _beside(effect: Effect, comparison: Comparison) -> str:
    if comparison.metric == "rps" and effect.same_ceiling:
        return "views/s tell nothing, both reached the same ceiling"
    return _with_verdict(comparison)


def _with_verdict(comparison: Comparison) -> str:
    """The ratio; what is not better is named."""
    if comparison.verdict != "better":
        return _figures(comparison, f" ({comparison.verdict})")
    more = comparison.metric in HIGHER_IS_BETTER and comparison.b_at_ceiling
    return _figures(comparison, " or more" if more else "")


def _figures(comparison: Comparison, verdict: str = "") -> str:
    """`CPU per view ×1.27 [1.26–1.29] (worse), with 29 views/s on each server`."""
    name = NAMES.get(comparison.metric) or metric_name(comparison.metric)
    ratio = comparison.difference
    if ratio is None:
        return (comparison.instead or f"{name} unknown") + verdict
    words = f"{name} ×{ratio.ratio:.2f}"
    if ratio.low is not None and ratio.high is not None:
        words += f" [{ratio.low:.2f}–{ratio.high:.2f}]"
    return words + verdict + comparison.with_load
