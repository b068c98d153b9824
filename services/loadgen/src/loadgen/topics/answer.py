"""The answer: a few sentences that the rows say, and what they cannot."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from loadgen.documents.document import PAGE, Block, Heading, Text, Words
from loadgen.documents.run_material import Entry, Group, Material
from loadgen.documents.words import (
    UNITS,
    count_of,
    decimals,
    listing,
    times_with_bounds,
    with_bounds,
)
from loadgen.findings.answers_nobody import silence
from loadgen.findings.both_sides import each_ones_last
from loadgen.findings.capacity import stacks
from loadgen.findings.comparisons import (
    Comparison,
    answer_to,
    in_words,
    is_bound_alone,
    percent_text,
)
from loadgen.findings.first_change import effects, what_else, what_to_change_first
from loadgen.records.environment import FINISHED
from loadgen.suites.cases import NO_HTTP, Case
from loadgen.suites.labels import WORDS, WRITTEN, Labels, metric_name
from loadgen.suites.pairs import Pair
from loadgen.theory.laws import UNEXPLAINED, is_equal_load
from loadgen.theory.statistics import ALARM, LEAST_ROUNDS, MARGIN, Difference
from loadgen.topics import capacity, setup, waterfall
from loadgen.topics.comparisons import far_in_words, sentences_above, wait_for_three_rounds
from loadgen.trials import caveats

#: More pairs than this are not told one by one; of many, what six lines of a screen hold.
MOST_PAIRS, MOST_CHARACTERS = 4, 6 * 80
#: Of so many the ratio of a pair tells who leads.
FEW_ENTRIES = 2
#: More loads than this are not told one by one.
MOST_LOADS = 3
#: Of more cases than this that cannot be told from the best, only the first are named.
MOST_NAMED = 4
#: How many sentences the answer has.
LEAST_SENTENCES, MOST_SENTENCES = 3, 6
WITHIN = f"{100 * MARGIN:.0f} %"
OUTCOMES = {"holds": "held", "refuted": "refuted", "cannot be told": "cannot be told"}
HAS_THE_MOST = "{}<b>{}</b> has the most: {} {}"
#: What tells cases of one throughput apart: who has the least of it, and who the most.
BESIDES = {
    "app_cpu_ms_per_view": "Among the {count} best in views/s, {least} needs the least CPU per "
    "view ({least_ms} ms) and {most} the most ({most_ms} ms).",
    "p95_ms": "{least} has the lowest p95 ({least_ms} ms) and {most} the highest ({most_ms} ms).",
}


def blocks(material: Material) -> Iterator[Block]:
    """The answer; then of each suite what else the rows say: who leads and whether that can be
    told, what held the rows back.
    """
    answer = sentences(material)
    yield Text(answer, "lead", shown=PAGE)
    for group in material.groups:
        said = [*_of_topics(material, group), *_leaders(group), *_bounds(group), *_compared(group)]
        more = [words for words in said if not any(of.endswith(words) for of in answer)]
        if more and len(material.groups) > 1:
            yield Heading(group.suite.question, shown=PAGE)
        yield Text(more, shown=PAGE)
    if material.claims:
        yield Text([_claimed(material)], shown=PAGE)
    yield Text([words for words in _untold(material) if words not in answer], "untold", shown=PAGE)
    yield setup.block(material)


def sentences(material: Material) -> list[Words]:
    """The answer of a run in three to six sentences, of a self-test in fewer.

    Each suite has its say first, as far as there is room; then what holds for the run as a whole.
    """
    closing = list(_of_the_run(material))[: MOST_SENTENCES // 2]
    room = MOST_SENTENCES - len(closing)
    of_suites = [list(_in_its_name(material, group)) for group in material.groups]
    shown = _in_turn([len(of_suite) for of_suite in of_suites], room)
    each = zip(of_suites, shown, strict=True)
    said = [words for of_suite, count in each for words in of_suite[:count]]
    asking = [group for group in material.groups if not group.suite.self_test]
    spare = [words for group in asking for words in _bounds(group)]
    while spare and len(said) + len(closing) < LEAST_SENTENCES:
        said.append(spare.pop(0))
    spare = [_measured(material), *_without_intervals(material)]
    while spare and len(said) + len(closing) < (LEAST_SENTENCES if asking else 1):
        closing.append(spare.pop(0))
    return [*said, *closing]


def _in_turn(counts: Sequence[int], room: int) -> list[int]:
    """How many of each fit, if each takes one in turn while there is room."""
    taken = [0] * len(counts)
    while sum(taken) < min(room, sum(counts)):
        able = [at for at, count in enumerate(counts) if taken[at] < count]
        taken[min(able, key=lambda at: (taken[at], at))] += 1
    return taken


def _in_its_name(material: Material, group: Group) -> Iterator[Words]:
    """The same with the suite's name, where there are several."""
    name = group.suite.name if len(material.groups) > 1 else ""
    for words in _briefly(material, group):
        yield type(words)("{}: {}").format(name, words) if name else words


def _briefly(material: Material, group: Group) -> Iterator[Words]:
    """What the rows say of a suite's question, the most telling first."""
    suite = group.suite
    if suite.self_test:
        yield from (
            sentences_above(suite, group.comparisons) if suite.compare else _works(material, group)
        )
        return
    yield from _of_topics(material, group)
    yield from far_in_words(group)
    yield from _silent(group)
    compared = _pairs_in_words(group)
    leading = [] if compared and len(group.entries) <= FEW_ENTRIES else list(_who_leads(group))
    if len(compared) <= MOST_PAIRS:
        yield from (*compared, *leading)
        return
    told = compared[:MOST_PAIRS]
    while len(told) > 1 and sum(map(len, told)) > MOST_CHARACTERS:
        told.pop()
    told[-1] += f" All {len(compared)} pairs are in comparisons.csv."
    yield from (*leading, *told)


def _pairs_in_words(group: Group) -> list[str]:
    """Each pair that is compared without a claim and without a change: its ratios and verdicts.

    Of more than a screen has room for those first that differ.
    """
    by_key = {comparison.key: comparison for comparison in group.comparisons}
    of_pairs: dict[Pair, list[Comparison]] = {}
    for entry in group.suite.compare:
        if entry.words is None and entry.change is None:
            for pair in entry.pairs(group.suite.cases):
                for metric in entry.metrics:
                    answer = answer_to(by_key, group.suite, entry, pair, metric)
                    if answer and by_key.pop(answer.key, None):  # one duet may answer several
                        of_pairs.setdefault(pair, []).append(answer)
    listed = list(of_pairs.values())
    if len(listed) > MOST_PAIRS:
        listed.sort(key=lambda answers: not any(answer.is_alarm for answer in answers))
    return list(map(_pair_in_words, listed))


def _pair_in_words(answers: Sequence[Comparison]) -> str:
    """`one → other: RPS 1.002 [0.998–1.006], equivalent; CPU/view 0.953 [0.921–0.986], better.`

    A metric that stands there twice was measured in two ways, so each says how.
    """
    ordered = sorted(answers, key=lambda answer: answer.duet)
    counts = Counter(answer.metric for answer in ordered)
    parts = []
    for answer in ordered:
        how = ", in a duet" if answer.duet else ", in separate trials"
        told = how if counts[answer.metric] > 1 else ""
        parts.append(_ratio_in_words(answer) + told + answer.with_load)
    return f"{ordered[0].without_load}: {'; '.join(parts)}."


def _ratio_in_words(comparison: Comparison) -> str:
    """A ratio with its interval and its verdict; why there is none, or how far to trust it."""
    name, verdict = metric_name(comparison.metric), _verdict(comparison)
    words = f"{name} {in_words(comparison)}, {verdict}"
    if comparison.difference is None:
        words = f"{name} {verdict}"
    if verdict in ("undecided", "not comparable") and comparison.reason:
        return f"{words} ({comparison.reason})"
    may_be_chance = comparison.is_alarm and (comparison.p_adjusted or 0) >= ALARM
    return f"{words}, which may be chance" if may_be_chance else words


def _who_leads(group: Group) -> Iterator[Words]:
    """Who makes the most views; nothing of a suite that asks what to change, or for a rate."""
    suite = group.suite
    loads = {words: entries for words, entries in _by_load(group).items() if len(entries) > 1}
    standings = [_standing(group.metric, entries) for entries in loads.values()]
    if suite.search or not standings or any(entry.change for entry in suite.compare):
        return  # who asks what to change has been told
    if len(standings) > 1:
        yield from _over_loads(standings, _stacks(group))
        return
    (entries,) = loads.values()
    yield from _sync_or_async(group.metric, entries, "")
    yield from _leader(standings[0], "")


def _works(material: Material, group: Group) -> Iterator[str]:
    """Whether all of a self-test could be measured; of a run that is not whole, how much so far."""
    broken = [entry for entry in group.entries if not entry.measured]
    tried = {entry.case for entry in group.entries}
    count = len(tried | set(group.suite.alone))
    cases = count_of(count, "case")
    if broken:
        names = listing(entry.called for entry in broken)
        yield f"No: {len(broken)} of {cases} could not be measured: {names}."
    elif len(tried) < count or not _is_whole(material):
        have = "has" if len(tried) == 1 else "have"
        yield f"So far {len(tried)} of {cases} {have} been measured."
    else:
        yield f"Yes: all {cases} could be measured."


def _is_whole(material: Material) -> bool:
    """Whether the run has not ended before its time, and nothing failed in it."""
    return material.environment.get("outcome") in (None, FINISHED)


def _is_about_servers(material: Material) -> bool:
    """Whether some suite asks about servers, and not about the lab."""
    return any(not group.suite.self_test for group in material.groups)


def _of_the_run(material: Material) -> Iterator[Words]:
    """What is to be said once: what is missing, what three rounds would tell, what is claimed."""
    yield from _missing(material)
    if material.early and _is_about_servers(material):
        yield wait_for_three_rounds(material.early, material.suites, _how_to_go_on(material))
    if material.claims:
        yield _claims_by_outcome(material)


def _how_to_go_on(material: Material) -> str:
    """What makes three rounds of a run, as the end of a sentence: to finish it, if it was to have
    them; empty of one that goes on.
    """
    outcome = material.environment.get("outcome")
    if outcome is None:
        return ""
    asked = (material.environment.get("arguments") or {}).get("rounds")
    planned = asked or max(suite.rounds for suite in material.suites)
    whole = outcome == FINISHED or planned < LEAST_ROUNDS
    return " (--rounds 3)" if whole else ". Finish the run with --resume"


def _claims_by_outcome(material: Material) -> str:
    """How many claims came out how, and which are refuted."""
    claims = material.claims
    by_outcome = {name: [claim for claim in claims if claim.outcome == name] for name in OUTCOMES}
    counts = (f"{len(by_outcome[name])} {words}" for name, words in OUTCOMES.items())
    said = f"Of {count_of(len(claims), 'claim')}: {', '.join(counts)}."
    for name, verb in (("holds", "Held"), ("refuted", "Refuted")):
        quoted = dict.fromkeys(f"“{claim.words.rstrip('.')}”" for claim in by_outcome[name])
        if quoted:
            said += f" {verb}: {listing(quoted, most=3)}."
    return said


def _of_topics(material: Material, group: Group) -> Iterator[Words]:
    """What its waterfalls, its changes and its search say."""
    for fall in material.waterfalls:
        if fall.suite == group.suite.name and (words := waterfall.fall_in_words(fall)):
            yield Markup("<b>{}</b>: {}").format(fall.title, words)
    if changes := effects(group.suite, material.comparisons):
        yield what_to_change_first(changes)
        yield from what_else(changes)
    if group.suite.search:
        yield from capacity.carries(stacks(group.suite, material.rows))


def _figure(entry: Entry, metric: str) -> str:
    """A metric over rounds with its interval: `73.3 [65.8–81.6]`."""
    return with_bounds(entry.mean(metric), WRITTEN[metric][1])


# ------------------------------------------------------------------------------------- who leads


def _leaders(group: Group) -> Iterator[Words]:
    """For each load, the highest throughput and who cannot be told from it."""
    if group.suite.self_test or group.suite.search:
        return
    yield from _silent(group)
    loads = {words: entries for words, entries in _by_load(group).items() if len(entries) > 1}
    standings = {words: _standing(group.metric, entries) for words, entries in loads.items()}
    if len(standings) > MOST_LOADS:
        yield from _over_loads(list(standings.values()), _stacks(group))
        return
    for words, standing in standings.items():
        load = f"With {words}: " if len(standings) > 1 else ""
        yield from _sync_or_async(group.metric, loads[words], load)
        yield from _leader(standing, load)
        yield from _without_calls(group, standing.best)


def _silent(group: Group) -> Iterator[Markup]:
    """Who answered nobody, in some rounds or in all."""
    for entry in group.entries:
        if words := silence(entry.rows):
            yield Markup("<b>{} {}.</b>").format(entry.called, words)


def _by_load(group: Group) -> dict[str, list[Entry]]:
    """The ranked cases by what is asked of the server; without the controls if there are others."""
    loads: dict[str, list[Entry]] = {}
    stages = {case for fall in group.suite.waterfalls for case in fall.cases}
    for entry in group.entries:
        if entry.case in stages:  # stages of one stack are no rivals
            continue
        if entry.is_ranked and entry.value(group.metric):
            loads.setdefault(_load(entry), []).append(entry)
    return {
        words: [entry for entry in entries if entry.case.http_client != NO_HTTP] or entries
        for words, entries in loads.items()
    }


@dataclass(frozen=True)
class _Standing:
    """Who leads, and who is behind.

    Attributes:
        metric: by which.
        best: of the highest mean.
        near: those that are behind it by less than what matters, for sure.
        open: those of whom that cannot be told.
        behind: the others, with how they do against it; the last is last.
        known: whether there are rounds enough to tell.
    """

    metric: str
    best: Entry
    near: Sequence[Entry]
    open: Sequence[Entry]
    behind: Sequence[tuple[Entry, Difference]]
    known: bool

    @property
    def is_alone(self) -> bool:
        """Whether it leads for sure, and nobody is as good."""
        return self.known and not self.near and not self.open


def _standing(metric: str, entries: Sequence[Entry]) -> _Standing:
    best, *others = sorted(entries, key=lambda entry: -(entry.value(metric) or 0))
    against = {other.key: _against(best, other, metric) for other in others}
    near = [other for other in others if (how := against[other.key]) and _is_near(how)]
    behind = [
        (other, how)
        for other in others
        if other not in near and (how := against[other.key]) and how.verdict == "worse"
    ]
    settled = [*near, *(other for other, _ in behind)]
    return _Standing(
        metric=metric,
        best=best,
        near=near,
        open=[other for other in others if other not in settled],
        behind=behind,
        known=all(how is not None and how.rounds >= LEAST_ROUNDS for how in against.values()),
    )


def _against(best: Entry, other: Entry, metric: str) -> Difference | None:
    """The other's throughput by the best's, over the rounds in which both are ranked."""
    both = each_ones_last(best.measured, other.measured)
    served = both.those(lambda row: (row.number(metric) or 0) > 0)
    return served.difference(metric) if served.count else None


def _is_near(how: Difference) -> bool:
    """Whether one is behind by less than what matters, for sure: by its own 95 % interval, and
    whatever the instruments did.
    """
    return how.surely is not None and how.surely[0] >= 1 / (1 + MARGIN)


def _within_margin(how: Difference) -> bool:
    """Whether the whole 95 % interval lies where a difference does not matter."""
    return _is_near(how) and how.surely is not None and how.surely[1] <= 1 + MARGIN


def _stacks(group: Group) -> Labels:
    """What the stacks of a group are called whatever their load."""
    return Labels(map(_without_load, group.entries), group.suite.native_views)


def _without_load(entry: Entry) -> Case:
    """A case without all that makes its load."""
    asked_less = replace(entry.case, users=None, ramp=None, planned_requests=None, rate_rps=None)
    return replace(asked_less, load="closed", arrivals=None, delays_ms=(), cpu_ms=None)


def _over_loads(standings: Sequence[_Standing], labels: Labels) -> Iterator[str]:
    """Of many loads, how often who leads alone; nothing under three rounds."""
    if max(len(standing.best.rows) for standing in standings) < LEAST_ROUNDS:
        return
    alone = Counter(_without_load(standing.best) for standing in standings if standing.is_alone)
    if not alone:
        yield f"At none of the {len(standings)} loads does one stack lead for sure."
        return
    words = [f"{labels.called(case)} leads alone in {count}" for case, count in alone.most_common()]
    if together := sum(not standing.is_alone for standing in standings):
        words.append(f"nobody leads for sure in {together}")
    yield f"Of {len(standings)} loads: {listing(words, most=6)}."


def _leader(standing: _Standing, load: str) -> Iterator[Words]:
    """Who leads and who is as good; how these can be told apart; who is last. Nothing under three
    rounds: whoever has the most then may have it by chance.
    """
    best, metric = standing.best, standing.metric
    if len(best.rows) < LEAST_ROUNDS:
        return
    at_ceiling = caveats.AT_CEILING.name in best.caveats
    shared = standing.known and at_ceiling and standing.near
    words = Markup("{}<b>Nobody leads</b>: {} makes {} {}" if shared else HAS_THE_MOST).format(
        load, best.called, _figure(best, metric), UNITS[metric]
    )
    if not standing.known:
        yield words + ". This may be chance: there are under three ranked rounds."
        return
    if at_ceiling and best.mostly_bound_by != UNEXPLAINED:
        words += f", all that its {_allowing(best.mostly_bound_by)}"
    words += "."
    if standing.near:
        names = listing((other.called for other in standing.near), most=3)
        are = "is" if len(standing.near) == 1 else "are"
        words += f" {names} {are} less than {WITHIN} behind, which does not matter."
    if standing.open:
        names = listing((other.called for other in standing.open), most=MOST_NAMED, joined="or")
        make = "make" if len(standing.open) > MOST_NAMED else "makes"
        words += f" Whether {names} {make} fewer is undecided."
    if standing.is_alone:
        words += " All others make fewer."
    yield words
    if at_ceiling and standing.near:
        yield " ".join(_besides((best, *standing.near)))
    if standing.behind:
        last, how = standing.behind[-1]
        rate = f"{_figure(last, metric)} {UNITS[metric]}"
        yield f"Last is {last.called} with {rate}, {times_with_bounds(how)} of the first."


def _allowing(bounds: str) -> str:
    """`users and slots allow`, of the bounds `users+slots`."""
    names = [{"cpu": "CPU", "api": "API"}.get(name, name) for name in bounds.split("+")]
    several = len(names) > 1 or names[0].endswith("s")
    return f"{listing(names)} {'allow' if several else 'allows'}"


def _besides(entries: Sequence[Entry]) -> Iterator[str]:
    """Where throughput is the same, CPU per view and latency tell servers apart."""
    for metric, sentence in BESIDES.items():
        known = [entry for entry in entries if entry.value(metric)]
        known.sort(key=lambda entry: entry.value(metric) or 0)
        if len(known) > 1:
            least, most = known[0], known[-1]
            yield sentence.format(
                count=len(entries),
                least=least.called,
                least_ms=_figure(least, metric),
                most=most.called,
                most_ms=_figure(most, metric),
            )


# ------------------------------------------------------------------------------ sync and async


def _sync_or_async(metric: str, entries: Sequence[Entry], load: str) -> Iterator[Markup]:
    """The best sync stack and the best async one of a load, held against each other."""
    sides = [[entry for entry in entries if entry.case.view == view] for view in ("sync", "async")]
    if not all(sides):
        return
    sync, other = (_frugal(metric, side) for side in sides)
    how = _against(sync, other, metric)
    if how is None or how.rounds < LEAST_ROUNDS:
        return
    verdict = f"{load}{_async_is(how)}"
    words = Markup("<b>Sync or async?</b> {}.").format(verdict[:1].upper() + verdict[1:])
    costs = is_equal_load(how.ratio)
    words += f" Best sync: {_made_by(sync, metric, costs=costs)}."
    words += f" Best async: {_made_by(other, metric, costs=costs)}."
    words += f" Async by sync: {times_with_bounds(how)} {UNITS[metric]}."
    yield words


def _made_by(entry: Entry, metric: str, *, costs: bool) -> str:
    """`uvicorn (aiohttp-shared), 30.0 views/s, 4.9 ms of CPU per view`: the last where it is asked
    for and known.
    """
    words = f"{entry.called}, {decimals(entry.value(metric), WRITTEN[metric][1])} {UNITS[metric]}"
    cpu_ms = entry.value("app_cpu_ms_per_view") if costs else None
    return words if cpu_ms is None else f"{words}, {cpu_ms:.1f} {UNITS['app_cpu_ms_per_view']}"


def _async_is(how: Difference) -> str:
    """`async is worse`: how the best async stack does against the best sync one."""
    if _within_margin(how):
        return f"no difference that matters (less than {WITHIN})"
    if is_bound_alone(how):
        bound = percent_text(math.expm1(how.bound_log))
        return f"undecided, the difference may come from the lab's instruments (±{bound})"
    return f"async is {how.verdict}" if how.verdict in ("better", "worse") else how.verdict


def _frugal(metric: str, entries: Sequence[Entry]) -> Entry:
    """Of those with the most throughput, as far as it matters, the one with the cheapest views."""
    standing = _standing(metric, entries)
    first = [standing.best, *standing.near]
    return min(first, key=lambda entry: entry.value("app_cpu_ms_per_view") or math.inf)


def _without_calls(group: Group, best: Entry) -> Iterator[str]:
    """What the same server makes of a view that calls nobody: the most that a client can reach."""
    for control in group.entries:
        like = replace(best.case, http_client=NO_HTTP) == control.case and control != best
        how = _against(control, best, group.metric) if like and control.is_ranked else None
        if how and how.low is not None and how.high is not None:
            interval = f"[{100 * how.low:.1f}–{100 * how.high:.1f}]"
            rate = f"{_figure(control, group.metric)} {UNITS[group.metric]}"
            yield (
                f"Without an HTTP call {best.case.server} makes {rate}. With "
                f"{best.case.http_client} it keeps {100 * how.ratio:.1f} % {interval} of that."
            )


def _load(entry: Entry) -> str:
    """What is asked of the server, in words: cases with the same can be held against each other."""
    case = entry.case
    words = [f"{case.users} users" if case.users else f"{case.rate_rps:g} arrivals a second"]
    if case.planned_requests:
        words = [f"{case.planned_requests} requests from {case.users} users"]
    if case.delays_ms:
        in_a_row = " one after the other" if case.workload == "serial" else ""
        words.append(f"{case.delays} ms{in_a_row}")
    if case.cpu_ms:
        words.append(f"{case.cpu_ms:g} ms of CPU")
    if case.ramp:
        words.append(WORDS["ramp"](case))
    if case.arrivals not in (None, "poisson"):
        words.append(WORDS["arrivals"](case))
    return ", ".join(words)


# --------------------------------------------------------------------- what held back, what is open


def _bounds(group: Group) -> Iterator[str]:
    """What held the rows back, counted."""
    counts = Counter(entry.mostly_bound_by for entry in group.entries if entry.is_ranked)
    unexplained = counts.pop(UNEXPLAINED, 0)
    said = []
    if counts:
        words = (f"{name} in {count_of(count, 'case')}" for name, count in counts.most_common())
        said.append(f"What limited throughput: {listing(words, most=6)}.")
    if unexplained:
        cases = count_of(unexplained, "case")
        said.append(f"In {cases} no known limit was reached ({UNEXPLAINED}).")
    if said:
        yield " ".join(said)


def _compared(group: Group) -> Iterator[str]:
    """The comparisons that the suite asks for, counted by verdict."""
    if group.comparisons:
        verdicts = Counter(map(_verdict, group.comparisons))
        words = (f"{count} {verdict}" for verdict, count in verdicts.most_common())
        count = count_of(len(group.comparisons), "comparison")
        yield f"Of {count}: {listing(words, most=6)}."


def _verdict(comparison: Comparison) -> str:
    """Its verdict; of a difference that is surely smaller than what matters, that too."""
    how = comparison.difference
    small = comparison.is_alarm and how and _within_margin(how)
    return f"{comparison.verdict} by less than {WITHIN}" if small else comparison.verdict


def _claimed(material: Material) -> Markup:
    """The claims of the run's suites, counted by outcome."""
    outcomes = Counter(claim.outcome for claim in material.claims)
    words = listing(f"{count} {OUTCOMES[name]}" for name, count in outcomes.most_common())
    count = count_of(len(material.claims), "claim")
    return Markup('Of <a href="#claims">{}</a>: {}.').format(count, words)


def _entries(material: Material) -> dict[Case, Entry]:
    """Every case that has rows, once."""
    return {entry.case: entry for group in material.groups for entry in group.entries}


def _measured(material: Material) -> str:
    """How much was measured."""
    entries = _entries(material)
    duets = sum(row.is_of_duet and row.is_measured for row in material.rows) // 2
    not_made = setup.not_made(material.rows)
    made = [count_of(duets, "duet")] if duets else []
    if entries or not (duets or not_made):
        rounds = max((len(entry.rows) for entry in entries.values()), default=0)
        trials = count_of(sum(len(entry.rows) for entry in entries.values()), "trial")
        cases = count_of(len(entries), "case")
        made.insert(0, f"{trials} of {cases} in {count_of(rounds, 'round')}")
    measured = f"Measured: {', and '.join(made)}." if made else ""
    return " ".join(filter(None, (measured, f"{not_made}." if not_made else "")))


def _missing(material: Material) -> Iterator[Words]:
    """What of the run was not measured, or measured the lab."""
    rows = [row for entry in _entries(material).values() for row in entry.rows]
    if not _is_whole(material):
        yield _incomplete(material.environment["outcome"])
    failed = [row for row in rows if not row.is_measured]
    if failed:
        servers = listing(dict.fromkeys(row.text("server") for row in failed))
        yield Markup("<strong>{} could not be measured</strong>: {}.").format(
            count_of(len(failed), "trial"), servers
        )
    unranked = [row for row in rows if row.is_measured and not row.is_ranked]
    if unranked:
        are, their = ("is", "its") if len(unranked) == 1 else ("are", "their")
        yield (
            f"{count_of(len(unranked), 'trial')} {are} left out of means and ranks: the lab itself "
            f"may have changed {their} views/s ({', '.join(caveats.blamed(unranked))})."
        )


def _incomplete(outcome: str) -> Markup:
    """`The run is incomplete. It ended at trial 7 of 24.`, and why where that is known.

    A run whose outcome is `unfinished` may be under way yet.
    """
    how, _, reason = outcome.removeprefix("unfinished: ").partition(": ")
    place = how.partition("at ")[2]
    if not place:
        return Markup("<strong>The run is incomplete: {}.</strong>").format(how)
    so_far = "got as far as" if outcome.startswith("unfinished") else "ended at"
    words = Markup("<strong>The run is incomplete.</strong> It {} {}.").format(so_far, place)
    return words + f" Reason: {reason.rstrip('.')}." if reason else words


def _without_intervals(material: Material) -> Iterator[str]:
    """What a ranking takes, under three rounds of what nothing compares."""
    rounds = max((len(entry.rows) for entry in _entries(material).values()), default=0)
    if 0 < rounds < LEAST_ROUNDS and not material.early:
        without = f"With {count_of(rounds, 'round')} there are no intervals."
        yield f"{without} A ranking needs three rounds{_how_to_go_on(material)}."


def _untold(material: Material) -> Iterator[Words]:
    """What the lab could not tell."""
    yield _measured(material)
    yield from _missing(material)
    if material.early:
        yield wait_for_three_rounds(material.early, material.suites, _how_to_go_on(material))
    yield from _without_intervals(material)
    undecided = sum(comparison.verdict == "undecided" for comparison in material.comparisons)
    if undecided:
        count = count_of(len(material.comparisons), "comparison")
        are = "is" if undecided == 1 else "are"
        yield f"{undecided} of {count} {are} undecided. More rounds may decide."
