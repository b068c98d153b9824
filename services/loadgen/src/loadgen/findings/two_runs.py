"""Two runs against each other, or two servers of one run.

Two runs are two days. Rounds within a run do not see what changes between them (the machine's
neighbours, its temperature, a new kernel), so the interval of such a ratio is too narrow by an
unknown amount, and its verdict is no more than indicative. Two servers of one run, measured in the
same rounds, share all that: there a verdict is a verdict, and there gates belong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from loadgen.errors import ConfigurationError
from loadgen.findings.agreement import Agreement, agreements
from loadgen.findings.both_sides import are_neighbours, mean_distance, same_rounds
from loadgen.findings.comparisons import COLUMNS as OF_COMPARISONS
from loadgen.findings.comparisons import (
    Comparison,
    adjusted,
    compare_by_duets,
    compare_rows,
    comparison_cells,
    is_given_up,
)
from loadgen.findings.earlier_run import Run
from loadgen.findings.environment_differences import Differing, differing
from loadgen.findings.gates import Gate, JudgedGate, judge_gates
from loadgen.records import files
from loadgen.records.columns import TEXT, Column, Row, attempts_by_case, rows_by_duet
from loadgen.suites.cases import Case
from loadgen.suites.labels import Labels
from loadgen.suites.pairs import CPU_METRIC, Compare, Pair
from loadgen.suites.suite import native_views

#: What is compared where nobody says what.
METRICS = ("rps", "p50_ms", "p95_ms", "app_cpu_ms_per_view", "app_pss_mib")

INDICATIVE = (
    "The machine may have changed between the two runs, and the rounds of a run do not show that. "
    "So these verdicts are hints, not proof. To be sure, measure both in one run: compare RUN "
    "--baseline SERVICE --candidate SERVICE."
)

#: Of compare.csv.
COLUMNS = (
    Column("a_run", TEXT, "the folder of the run that b_run is compared with"),
    Column(
        "b_run",
        TEXT,
        "the folder of the run that is judged; the same as a_run for two servers of one run",
    ),
    *(column for column in OF_COMPARISONS if column.name != "suite"),
    Column(
        "trust",
        TEXT,
        "`paired` (servers of one run, compared round by round) or `indicative` (two runs, made at "
        "different times)",
    ),
)


@dataclass(frozen=True)
class RunComparison:
    """What came out.

    Attributes:
        a, b: what is compared with, and what is judged: runs, or servers of one run.
        a_run, b_run: their runs.
        comparisons: every metric of every case, adjusted together.
        indicative: whether they are of two runs.
        only_a, only_b: cases that the other has not.
        differing: what the environments do not share.
        agreements: what their suites' claims and comparisons say in each.
        gates: each on each comparison of its metric.
        remarks: what else a reader has to know.
    """

    a: str
    b: str
    a_run: str
    b_run: str
    comparisons: Sequence[Comparison]
    indicative: bool
    only_a: Sequence[str] = ()
    only_b: Sequence[str] = ()
    differing: Sequence[Differing] = ()
    agreements: Sequence[Agreement] = ()
    gates: Sequence[JudgedGate] = ()
    remarks: Sequence[str] = ()


def of_runs(a: Run, b: Run, metrics: Sequence[str], gates: Sequence[Gate]) -> RunComparison:
    """Every case that both runs have, b against a.

    Raises:
        ConfigurationError: they have none in common.
    """
    of_a, of_b = a.by_case, b.by_case
    cases = {case.slug: case for suite in (*b.suites, *a.suites) for case in suite.cases}
    shared = [slug for slug in of_a if slug in of_b]
    if not shared:
        raise ConfigurationError(
            f"{a.name} and {b.name} have no case in common: measure the same suite in both"
        )
    siblings = (cases[slug] for slug in shared if slug in cases)
    labels = Labels(siblings, native_views((*a.suites, *b.suites)))
    comparisons = [
        compare_rows("", label, of_a[slug], of_b[slug], metric, paired=False)
        for slug in shared
        for label in (labels.name(cases[slug]) if slug in cases else slug,)
        for metric in _metrics(metrics, gates)
    ]
    judged = adjusted(comparisons)
    environments = differing(a, b, shared)
    return RunComparison(
        a=a.name,
        b=b.name,
        a_run=a.name,
        b_run=b.name,
        comparisons=judged,
        indicative=True,
        only_a=[slug for slug in of_a if slug not in of_b],
        only_b=[slug for slug in of_b if slug not in of_a],
        differing=environments,
        agreements=agreements(a, b, environments),
        gates=judge_gates(gates, judged),
        remarks=[INDICATIVE],
    )


def of_servers(
    run: Run, baseline: str, candidate: str, metrics: Sequence[str], gates: Sequence[Gate]
) -> RunComparison:
    """Every case of one server against its like of another, round by round.

    Raises:
        ConfigurationError: one of them was not measured, or no case has its like.
    """
    by_case = attempts_by_case(run.rows)
    servers = list(dict.fromkeys(row.text("server") for row in run.rows))
    for server in (baseline, candidate):
        if server not in servers:
            raise ConfigurationError(
                f"{run.name} has no trial of {server!r}; its servers are {', '.join(servers)}"
            )
    cases = list({case.slug: case for suite in run.suites for case in suite.cases}.values())
    alike = Compare(a={"server": (baseline,)}, b={"server": (candidate,)})
    measured = [case for case in cases if case.slug in by_case]
    pairs = list(alike.pairs(measured))
    in_duets = _in_duets(run, alike, cases, pairs, _metrics(metrics, gates))
    if not (pairs or in_duets):
        raise ConfigurationError(
            f"{run.name} has no pair of cases of {baseline} and {candidate} that differ only in "
            "the server and its view. Name both servers in the same [[cases]] of a suite"
        )
    unmatched = [case for case in measured if all(case not in pair for pair in pairs)]
    labels = Labels((case for pair in pairs for case in pair), native_views(run.suites))
    comparisons = [
        compare_rows("", labels.pair(a, b), by_case[a.slug], by_case[b.slug], metric)
        for a, b in pairs
        for metric in _metrics(metrics, gates)
        if metric != CPU_METRIC or (a.in_a_duet.slug, b.in_a_duet.slug) not in in_duets
    ]
    judged = adjusted([*comparisons, *in_duets.values()])
    rounds = [same_rounds(by_case[a.slug], by_case[b.slug]) for a, b in pairs]
    return RunComparison(
        a=baseline,
        b=candidate,
        a_run=run.name,
        b_run=run.name,
        comparisons=judged,
        indicative=False,
        only_a=[case.slug for case in unmatched if case.server == baseline],
        only_b=[case.slug for case in unmatched if case.server == candidate],
        gates=judge_gates(gates, judged),
        remarks=_apart([trials for both in rounds for trials in both.pairs]),
    )


def _in_duets(
    run: Run,
    alike: Compare,
    cases: Iterable[Case],
    by_trials: Iterable[Pair],
    metrics: Sequence[str],
) -> dict[tuple[str, str], Comparison]:
    """CPU per view of the pairs that the run has measured in duets, by their cases, if it is asked
    for: there it is known best. Duets that were given up are left to trials where there are any.
    """
    by_case, sides = attempts_by_case(run.rows), rows_by_duet(run.rows)
    of_duets = dict.fromkeys(case.in_a_duet for case in cases)
    pairs = [pair for pair in alike.pairs(list(of_duets)) if _names(pair) in sides]
    if CPU_METRIC not in metrics:
        return {}
    labels = Labels((case for pair in pairs for case in pair), native_views(run.suites))
    with_trials = {(a.in_a_duet.slug, b.in_a_duet.slug) for a, b in by_trials}
    found = {}
    for pair in pairs:
        a, b = _names(pair)
        judged = compare_by_duets(pair, by_case, sides)
        told = judged and (judged.load or not is_given_up(sides[a, b]))
        if judged and (told or (a, b) not in with_trials):
            at = f", at {judged.load}" if judged.load else ""
            found[a, b] = replace(judged, label=f"{labels.pair(*pair)}{at}")
    return found


def _names(pair: Pair) -> tuple[str, str]:
    a, b = pair
    return a.slug, b.slug


def _metrics(asked: Sequence[str], gates: Iterable[Gate]) -> list[str]:
    """The metrics asked for, and those that gates need besides; each once."""
    return list(dict.fromkeys([*asked, *(gate.metric for gate in gates)]))


def _apart(trials: Sequence[tuple[Row, Row]]) -> list[str]:
    """A remark where most pairs were not measured one after the other; what was measured again has
    no place of its own.
    """
    first = [(a, b) for a, b in trials if a.attempt == b.attempt == 1]
    neighbours = sum(map(are_neighbours, first))
    if 2 * neighbours >= len(first):
        return []
    mean = mean_distance(first).trials
    far = "" if mean is None else f" (on average they are {mean:.1f} trials apart)"
    return [
        f"Only {neighbours} of {len(first)} pairs of trials were measured one after the other"
        f"{far}. The machine may have changed in between. A [[compare]] of the suite that names "
        "the two brings them together."
    ]


def compare_csv(result: RunComparison) -> str:
    """compare.csv: a line per comparison."""
    trust = "indicative" if result.indicative else "paired"
    lines = (
        (result.a_run, result.b_run, *comparison_cells(comparison)[1:], trust)
        for comparison in result.comparisons
    )
    return files.csv_text((column.name for column in COLUMNS), lines)
