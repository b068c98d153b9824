"""The answer: a few sentences that the rows say, and what they cannot."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from loadgen.documents.blocks import Block, Heading, Section, Text, Words
from loadgen.documents.material import Entry, Group, Material
from loadgen.documents.words import UNITS, counted, figure, listing, with_bounds
from loadgen.findings.capacity import stacks
from loadgen.findings.comparisons import Comparison, is_equal_load
from loadgen.findings.first_change import effects, what_to_change_first
from loadgen.findings.silence import silence
from loadgen.records.columns import Row
from loadgen.suites.cases import Case
from loadgen.suites.labels import WORDS, Labels
from loadgen.theory.statistics import LEAST_ROUNDS, MARGIN, Difference, difference
from loadgen.topics import capacity, setup, waterfall
from loadgen.trials import caveats

#: More loads than this are not told one by one.
MOST_LOADS = 3
#: The client that calls nobody: what a server makes without one.
CONTROL = "no-http"
WITHIN = f"{100 * MARGIN:.0f} %"
OUTCOMES = {"holds": "held", "refuted": "refuted", "cannot be told": "not to be told"}
HAS_THE_MOST = "<b>{}</b> has the most, {} {}"
SATURATED = tuple(caveat.name for caveat in caveats.ALL if caveat.unranks)


def section(material: Material) -> Section:
    """Of each suite: who leads and whether that can be told, what held the rows back."""
    blocks: list[Block] = []
    for group in material.groups:
        if len(material.groups) > 1:
            blocks.append(Heading(group.suite.question))
        paragraphs = [*_found(material, group), *_leaders(group), *_bounds(group)]
        paragraphs += _compared(group)
        blocks.append(Text(paragraphs, kind="lead"))
    if material.claims:
        blocks.append(Text([_claimed(material)], kind="lead"))
    blocks.append(Text(list(_untold(material)), kind="untold"))
    blocks.append(setup.block(material))
    return Section("answer", "The answer", blocks)


def _found(material: Material, group: Group) -> Iterator[Words]:
    """What its waterfalls and its search found."""
    for fall in material.waterfalls:
        if fall.suite == group.suite.name:
            yield Markup("<b>{}</b>: {}").format(fall.title, waterfall.in_words(fall))
    if changes := effects(group.suite, material.comparisons):
        yield what_to_change_first(changes)
    if group.suite.search:
        yield from capacity.carries(stacks(group.suite, material.rows))


def _leaders(group: Group) -> Iterator[Markup]:
    """For each load, the highest throughput and who cannot be told from it."""
    if group.suite.self_test or group.suite.search:
        return
    yield from _silent(group)
    loads = {words: entries for words, entries in _by_load(group).items() if len(entries) > 1}
    standings = {words: _standing(group.metric, entries) for words, entries in loads.items()}
    if len(standings) > MOST_LOADS:
        yield _over_loads(list(standings.values()), _stacks(group))
        return
    for words, standing in standings.items():
        load = f"With {words}: " if len(standings) > 1 else ""
        yield from _sync_or_async(group.metric, loads[words], load)
        first, *others = _leader(standing)
        yield Markup("{}{}").format(load, first)
        yield from others
        yield from _without_calls(group, standing.best)


def _silent(group: Group) -> Iterator[Markup]:
    """Who answered nobody, in some rounds or in all."""
    for entry in group.entries:
        if words := silence(entry.line.rows):
            yield Markup("<b>{} {}.</b>").format(entry.called, words)


def _by_load(group: Group) -> dict[str, list[Entry]]:
    """The ranked cases by what is asked of the server; without the controls if there are others."""
    loads: dict[str, list[Entry]] = {}
    stages = {case for fall in group.suite.waterfalls for case in fall.cases}
    for entry in group.entries:
        if entry.case in stages:  # stages of one stack are no rivals
            continue
        if entry.is_ranked and entry.mean(group.metric):
            loads.setdefault(_load(entry), []).append(entry)
    return {
        words: [entry for entry in entries if entry.case.http_client != CONTROL] or entries
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


def _standing(metric: str, entries: Sequence[Entry]) -> _Standing:
    best, *others = sorted(entries, key=lambda entry: -(entry.mean(metric) or 0))
    found = [(other, against(best, other, metric)) for other in others]
    near = [other for other, how in found if how and _is_near(how)]
    behind = [(o, how) for o, how in found if o not in near and how and how.verdict == "worse"]
    told = [*near, *(other for other, _ in behind)]
    return _Standing(
        metric=metric,
        best=best,
        near=near,
        open=[other for other in others if other not in told],
        behind=behind,
        known=all(how is not None and how.rounds >= LEAST_ROUNDS for _, how in found),
    )


def _is_near(how: Difference) -> bool:
    """Whether one is behind by less than what matters, by its own 95 % interval."""
    return how.low is not None and how.low >= 1 / (1 + MARGIN)


def _stacks(group: Group) -> Labels:
    """What the stacks of a group are called whatever their load."""
    return Labels(map(_without_load, group.entries), group.suite.native_views)


def _without_load(entry: Entry) -> Case:
    """A case without all that makes its load."""
    asked_less = replace(entry.case, users=None, ramp=None, planned_requests=None, rate_rps=None)
    return replace(asked_less, load="closed", arrivals=None, delays_ms=(), cpu_ms=None)


def _over_loads(standings: Sequence[_Standing], stacks: Labels) -> Markup:
    """Of many loads, how often who leads alone."""
    alone = Counter(_without_load(one.best) for one in standings if _leads_alone(one))
    told = [f"{stacks.called(one)} leads alone in {count}" for one, count in alone.most_common()]
    if together := sum(not _leads_alone(one) for one in standings):
        told.append(f"in {together} nobody does, or nobody can be told to")
    return Markup("Of {} loads: {}.").format(len(standings), listing(told, most=6))


def _leads_alone(standing: _Standing) -> bool:
    return standing.known and not standing.near and not standing.open


def _leader(standing: _Standing) -> Iterator[Markup]:
    """Who leads and who is as good; how these can be told apart; who is last."""
    best, metric = standing.best, standing.metric
    at_ceiling = "at-ceiling" in best.caveats
    shared = standing.known and at_ceiling and standing.near
    said = Markup("<b>Nobody leads</b>: {} makes {} {}" if shared else HAS_THE_MOST).format(
        best.called, figure(best, metric), UNITS[metric]
    )
    if not standing.known:
        yield said + "; whether by more than chance cannot be told from under three ranked rounds."
        return
    if at_ceiling:
        said += Markup(", as much as its {} allow").format(_bound(best))
    if standing.near:
        names = listing(other.called for other in standing.near)
        said += Markup("; less than {} behind, which does not matter: {}").format(WITHIN, names)
    if standing.open:
        names = listing((other.called for other in standing.open), joined="or")
        said += Markup("; this run cannot tell it from {}").format(names)
    if not (standing.near or standing.open):
        said += ", more than any other"
    yield said + "."
    if at_ceiling and standing.near:
        yield _besides((best, *standing.near))
    if standing.behind:
        last, how = standing.behind[-1]
        yield Markup("Last is {}: {}, {}.").format(
            last.called, figure(last, metric), with_bounds(how)
        )


def _sync_or_async(metric: str, entries: Sequence[Entry], load: str) -> Iterator[Markup]:
    """The best sync stack and the best async one of a load, held against each other."""
    sides = [[entry for entry in entries if entry.case.view == view] for view in ("sync", "async")]
    if not all(sides):
        return
    sync, other = (_frugal(metric, side) for side in sides)
    how = against(sync, other, metric)
    if how is None or how.rounds < LEAST_ROUNDS:
        return
    said = Markup("<b>Sync or async?</b> {}The best sync stack, {}, makes {} {}; ").format(
        load, sync.called, figure(sync, metric), UNITS[metric]
    )
    said += Markup("the best async one, {}, {}: {}").format(
        other.called, figure(other, metric), with_bounds(how)
    )
    near = f"less than {WITHIN} apart, which does not matter"
    said += f", {near if _within_margin(how) else how.verdict}"
    if is_equal_load(how.ratio):
        cpu = "app_cpu_ms_per_view"
        said += Markup("; a view costs them {} and {} ms of CPU").format(
            figure(sync, cpu), figure(other, cpu)
        )
    yield said + "."


def _frugal(metric: str, entries: Sequence[Entry]) -> Entry:
    """Of those with the most throughput, as far as it matters, the one with the cheapest views."""
    standing = _standing(metric, entries)
    first = [standing.best, *standing.near]
    return min(first, key=lambda one: one.mean("app_cpu_ms_per_view") or math.inf)


def _without_calls(group: Group, best: Entry) -> Iterator[Markup]:
    """What the same server makes of a view that calls nobody: the most that a client can reach."""
    for control in group.entries:
        like = replace(best.case, http_client=CONTROL) == control.case and control != best
        if like and control.is_ranked and (found := against(control, best, group.metric)):
            interval = (
                f" [{100 * found.low:.1f}–{100 * found.high:.1f}]"
                if found.low and found.high
                else ""
            )
            said = "Without an HTTP call the same server makes {}; with one it keeps {}{} %."
            share = f"{100 * found.ratio:.1f}"
            yield Markup(said).format(figure(control, group.metric), share, interval)


def _besides(entries: Sequence[Entry]) -> Markup:
    """Where throughput is the same, CPU per view and latency tell servers apart."""
    said = Markup("")
    if ends := _ends(entries, "app_cpu_ms_per_view"):
        said += Markup(
            "Of these {} {} needs the least CPU, {} ms a view; {} the most, {} ms."
        ).format(len(entries), *ends)
    if ends := _ends(entries, "p95_ms"):
        said += Markup(" The lowest p95 is that of {}, {} ms, the highest of {}, {} ms.").format(
            *ends
        )
    return said


def _ends(entries: Sequence[Entry], metric: str) -> tuple[str, str, str, str] | None:
    """Who has the least of a metric, and the most; None where it is known of fewer than two."""
    means = [(mean, place) for place, one in enumerate(entries) if (mean := one.mean(metric))]
    if len(means) < 2:
        return None
    least, most = (entries[place] for _, place in (min(means), max(means)))
    return least.called, figure(least, metric), most.called, figure(most, metric)


def against(best: Entry, other: Entry, metric: str) -> Difference | None:
    """The other's throughput by the best's, over the rounds in which both are ranked."""
    of_other = {row["round"]: row for row in other.measured}
    pairs = [
        (_positive(row, metric), _positive(of_other[row["round"]], metric))
        for row in best.measured
        if row["round"] in of_other
    ]
    known = [(a, b) for a, b in pairs if a and b]
    if not known:
        return None
    return difference([a for a, _ in known], [b for _, b in known])


def _positive(row: Row, metric: str) -> float | None:
    value = row[metric]
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _load(entry: Entry) -> str:
    """What is asked of the server, in words: cases with the same can be held against each other."""
    case = entry.case
    words = [f"{case.users} users" if case.users else f"{case.rate_rps:g} arrivals a second"]
    if case.planned_requests:
        words = [f"{case.planned_requests} requests from {case.users} users"]
    if case.delays_ms:
        words.append(f"{case.delays} ms")
    if case.cpu_ms:
        words.append(f"{case.cpu_ms:g} ms of CPU")
    if case.ramp:
        words.append(WORDS["ramp"](case))
    if case.arrivals == "constant":
        words.append(WORDS["arrivals"](case))
    return ", ".join(words)


def _bound(entry: Entry) -> str:
    """What held it back in most of its rounds."""
    bounds = Counter(str(row["bound_by"]) for row in entry.measured if row["bound_by"])
    return bounds.most_common(1)[0][0] if bounds else "unexplained"


def _bounds(group: Group) -> Iterator[Markup]:
    """What held the rows back, counted."""
    counts = Counter(_bound(entry) for entry in group.entries if entry.is_ranked)
    total = counts.total()
    if not total:
        return
    words = listing((f"{name} in {count}" for name, count in counts.most_common()), most=6)
    said = "What held back its {}, each in most of its rounds: {}."
    yield Markup(said).format(counted(total, "ranked case"), words)


def _compared(group: Group) -> Iterator[Markup]:
    """The comparisons that the suite asks for, counted by verdict."""
    if not group.comparisons:
        return
    verdicts = Counter(map(_verdict, group.comparisons))
    words = listing((f"{count} {verdict}" for verdict, count in verdicts.most_common()), most=6)
    yield Markup("Of {}: {}.").format(counted(len(group.comparisons), "comparison"), words)


def _verdict(comparison: Comparison) -> str:
    """Its verdict; of a difference that is surely smaller than what matters, that too."""
    found = comparison.difference
    small = comparison.is_alarm and found and _within_margin(found)
    return f"{comparison.verdict} by less than {WITHIN}" if small else comparison.verdict


def _within_margin(found: Difference) -> bool:
    """Whether the whole 95 % interval lies where a difference does not matter."""
    return _is_near(found) and found.high is not None and found.high <= 1 + MARGIN


def _claimed(material: Material) -> Markup:
    """The claims of the run's suites, counted by outcome."""
    outcomes = Counter(claim.outcome for claim in material.claims)
    words = listing(f"{count} {OUTCOMES[name]}" for name, count in outcomes.most_common())
    return Markup('Of <a href="#claims">{}</a> {}.').format(
        counted(len(material.claims), "claim"), words
    )


def _untold(material: Material) -> Iterator[Markup]:
    """What the lab could not tell."""
    entries = {entry.line.rows[0]["case"]: entry for g in material.groups for entry in g.entries}
    cases = list(entries.values())
    rows = [row for entry in cases for row in entry.line.rows]
    rounds = max((len(entry.line.rows) for entry in cases), default=0)
    yield Markup("Measured: {} of {} in {}.").format(
        counted(len(rows), "trial"), counted(len(cases), "case"), counted(rounds, "round")
    )
    outcome = str(material.environment.get("outcome", ""))
    if outcome != "finished":
        yield Markup("<strong>The run is not whole: {}.</strong>").format(outcome)
    failed = [row for row in rows if row["outcome"] != "measured"]
    if failed:
        servers = listing(dict.fromkeys(str(row["server"]) for row in failed))
        yield Markup("<strong>{} could not be measured</strong>: {}.").format(
            counted(len(failed), "trial"), servers
        )
    unranked = [row for row in rows if row["outcome"] == "measured" and row["ranked"] != "yes"]
    if unranked:
        blame = Counter(
            name
            for row in unranked
            for name in str(row["caveats"] or "").split()
            if name in SATURATED
        )
        yield Markup(
            "{} measured the lab rather than the server ({}) and {} left out of means and ranks."
        ).format(
            counted(len(unranked), "trial"), listing(blame), "is" if len(unranked) == 1 else "are"
        )
    if 0 < rounds < LEAST_ROUNDS:
        yield Markup(
            "With {} there are no intervals: repeat with --rounds 5 before you rank."
        ).format(counted(rounds, "round"))
    undecided = sum(one.verdict == "undecided" for one in material.comparisons)
    if undecided:
        yield Markup("{} of {} stay undecided: more rounds would narrow them.").format(
            undecided, counted(len(material.comparisons), "comparison")
        )
