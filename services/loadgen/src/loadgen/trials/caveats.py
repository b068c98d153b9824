"""Named warnings on a trial, each with one sentence of advice."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loadgen.records.columns import OTHER_CPUS, Row
from loadgen.records.samples import in_window
from loadgen.theory.laws import TOLERANCE, slots_ceiling_rps, users_ceiling_rps
from loadgen.theory.statistics import MARGIN
from loadgen.trials.recording import Recording
from loadgen.trials.trial import Trial
from loadgen.trials.unexplained import Sign
from loadgen.trials.window_account import WindowAccount

#: How full the API or the driver may be: above, it may be what was measured.
BUSY_SHARE = 0.8
#: Share of a ceiling from which throughput says nothing about the server.
AT_CEILING_SHARE = 0.95
STOLEN_SHARE = 0.01
#: An upstream or a load later than this, or than this share of the service time, disturbs what is
#: measured.
LATE_MS = 2.0
LATE_SHARE = 0.01
#: A side of a duet of whose requests more than this share failed tells no cost of a view: what
#: failed took CPU too.
FAILED_SHARE = 0.01
#: A larger bound is told as this one, ln 2.
MOST_TOLD = math.log(2)


@dataclass(frozen=True)
class Caveat:
    """A warning.

    Attributes:
        name: as in the `caveats` column.
        advice: one sentence: what it means and what to do.
        short: the same in at most 56 letters, for a line of a terminal.
        unranks: the row says nothing about the server, so it is left out of rankings.
    """

    name: str
    advice: str
    short: str
    unranks: bool = False


AT_CEILING = Caveat(
    "at-ceiling",
    "throughput is what the users, the slots or the client's pool allow at most, so it cannot tell "
    "servers apart: compare CPU per view, or raise what the row is bound by.",
    short="users or slots set the rate; compare CPU per view",
)
API_SATURATED = Caveat(
    "api-saturated",
    "the upstream API was late or busy: the row's bounds say what that can have done at most, and "
    "a metric that it can have moved by over 3 % is not ranked. Give it a CPU of its own.",
    short="the API was late or busy; bounds say how much at most",
)
LOADGEN_SATURATED = Caveat(
    "loadgen-saturated",
    "the load generator was busy or late: the row's bounds say what that can have done at most, "
    "and a metric that it can have moved by over 3 % is not ranked. Give it a CPU of its own.",
    short="the load was late or busy; bounds say how much at most",
)
CENSORED = Caveat(
    "censored",
    "requests were still waiting at the end, or dropped since too many waited, so high percentiles "
    "are unknown and the others flattering: lengthen the window or lower the load.",
    short="some still waited at the end; percentiles are cut off",
)
TOO_FEW = Caveat(
    "too-few",
    "too few requests lie above the highest percentiles to state them: lengthen the window.",
    short="too few requests for high percentiles",
)
STARVED = Caveat(
    "starved",
    "so many users waited through the whole window without an answer, and percentiles take them as "
    "infinitely slow: the window is shorter than a turn of all users (users / rps), or the server "
    "answers others first, since it accepts more than it has slots for, or takes whoever came "
    "last. Lengthen the window or lower the load.",
    short="users waited all window; lengthen it or ask for less",
)
UNSTEADY = Caveat(
    "unsteady",
    "the load did not become steady in its time, the window's halves differ by over 5 %, its "
    "response times are not those of all its users, or so much of an open load stayed in flight. "
    "Throughput counts what was answered in the window: lower the load, or look for what else ran.",
    short="the load did not settle; lower it",
)
IN_STEP = Caveat(
    "in-step",
    "the users are answered in waves and wait together, so the CPU idles between the waves and "
    "throughput and percentiles are those of waves: ask an open load, whose requests come at "
    "random.",
    short="users are answered in waves; ask an open load",
)
UNEVEN = Caveat(
    "uneven-processes",
    "there are slots for all users, but some processes got more connections than they have slots, "
    "so users wait there while slots are free elsewhere: more slots in each process help, or one "
    "process with all of them.",
    short="some processes lack slots that others have free",
)
RAMP_IN_MEAN = Caveat(
    "ramp-in-mean",
    "the mean is over the ramp's climb too, and over the time that the first users wait; at its "
    "best the server made what its users ask for: see max_rps.",
    short="the mean has the ramp in it; see max_rps",
)
ONE_AT_A_TIME = Caveat(
    "one-at-a-time",
    "answers come a service time apart, so views run one after the other: something in the view "
    "blocks the event loop while it waits, such as a client that is not async.",
    short="something in the view blocks the event loop",
)
#: Of a case's rounds together, so no trial by itself deserves it: see summary.case_caveats.
UNSTABLE = Caveat(
    "unstable",
    "over the rounds the rate is known no better than ± 5 %: add rounds before you compare.",
    short="the rate is known no better than ± 5 %; add rounds",
)
FAILURES = Caveat(
    "failures",
    "some requests failed, or had no answer yet when the load ended (unanswered): the failure "
    "column of samples/ says which and why.",
    short="requests failed; samples/ says why",
)
BODIES_UNCHECKED = Caveat(
    "bodies-unchecked",
    "answers were judged by their status alone, so a wrong body with status 200 passes: hey looks "
    "at no more, and a server of your own needs the label lab.expect.",
    short="a wrong body with status 200 passes",
)
NOT_FRESH = Caveat(
    "not-fresh",
    "the server was on before the trial, with whatever earlier ones left in it, and its CPU and "
    "memory are unknown, since the lab's launcher does not run it: docs/your-own-django.md shows "
    "how it can.",
    short="it was on before; no CPU or memory is known",
)
MORE_PROCESSES = Caveat(
    "more-processes-than-cpus",
    "the server has more processes than CPUs, so they share them: widen APP_CPUS to see it scale.",
    short="its processes share CPUs; widen APP_CPUS",
)
SMT_SHARED = Caveat(
    "smt-shared",
    "the app and the load run on two threads of one core and slow each other down: set the CPU "
    "sets to whole cores.",
    short="app and load share a core; set whole cores",
)
MORE_CPU = Caveat(
    OTHER_CPUS,
    "the server used more CPU than its set has, so it ran on other CPUs too, beside the API and "
    "the load: the engine did not keep to cpuset. Measure on one that does.",
    short="it ran on others' CPUs too; not ranked",
    unranks=True,
)
CPU_STOLEN = Caveat(
    "cpu-stolen",
    "the hypervisor took over 1 % of the app's CPU time, which is in the row's bounds: repeat on a "
    "quieter machine.",
    short="the hypervisor took CPU time; find a quieter machine",
)
#: Of the run's trials together, so no trial by itself deserves it: see drift.judged.
CPU_DRIFT = Caveat(
    "cpu-drift",
    "the CPU was over 10 % faster or slower than in the case's usual trial: repeat with rounds.",
    short="the CPU's own speed changed; repeat with rounds",
)


@dataclass(frozen=True)
class Facts:
    """All that the caveats of a row depend on.

    Attributes:
        row: without its caveats.
        trial, recording, account: what it was made of.
        signs: why nothing explains the row, as far as its samples show it.
    """

    row: Row
    trial: Trial
    recording: Recording
    account: WindowAccount
    signs: frozenset[Sign]

    @property
    def late_ms(self) -> float:
        """How late an upstream or a load may be."""
        return max(LATE_MS, LATE_SHARE * self.trial.service_time_s * 1000)

    def above(self, column: str, bound: float) -> bool:
        """Whether a value of the row is known and above a bound."""
        value = self.row.number(column)
        return value is not None and value > bound


def caveats_of(facts: Facts) -> list[Caveat]:
    """The warnings that a row deserves, in the order of `ALL`."""
    return [caveat for caveat, is_deserved in DESERVED.items() if is_deserved(facts)]


def blamed(rows: Iterable[Row], metric: str = "rps") -> list[str]:
    """Why these rows are not ranked for a metric: names of caveats in the order of `ALL`, and by
    how much instruments can have moved it.
    """
    unranked = [row for row in rows if not row.is_ranked_for(metric)]
    names = {name for row in unranked for name in _names_blamed(row, metric)}
    most = max((row.bound(metric) for row in unranked), default=0.0)
    moved = [f"moved by up to {math.expm1(min(most, MOST_TOLD)):.0%}"] if most > MARGIN else []
    return in_order(names) + moved


def spoilt_by_failures(row: Row) -> bool:
    """Whether too many requests failed for CPU per view to be the cost of a good one."""
    return (row.number("failures") or 0.0) > FAILED_SHARE * (row.number("requests") or 0.0)


def held_back_by_the_api_alone(row: Row, metric: str) -> bool:
    """Whether a row would be ranked for a metric if the API had been in time."""
    return not row.is_ranked_for(metric) and _names_blamed(row, metric) == {API_SATURATED.name}


def _names_blamed(row: Row, metric: str) -> set[str]:
    """Those of a row's caveats that unrank it, or did before there were bounds."""
    blame = {API_SATURATED.name, LOADGEN_SATURATED.name, MORE_CPU.name}
    if row.bound(metric) > MARGIN:
        blame.add(CPU_STOLEN.name)
    if row.is_of_duet and spoilt_by_failures(row):
        blame.add(FAILURES.name)
    return blame.intersection(row.caveats)


def in_order(names: Iterable[str]) -> list[str]:
    """Names of caveats in the order of `ALL`; those that another version of the lab knew, last."""
    present, known = set(names), [caveat.name for caveat in ALL]
    return [name for name in known if name in present] + sorted(present.difference(known))


def _at_ceiling(facts: Facts) -> bool:
    """Near the ceiling of users, slots or pool.

    Of a ramp, its mean users count, for `rps` is a mean too.
    """
    trial = facts.trial
    ceilings = (
        users_ceiling_rps(trial.case.mean_users, trial.service_time_s),
        slots_ceiling_rps(trial.server.slots, trial.service_time_s),
        trial.pool_ceiling_rps,
    )
    rps = facts.row.number("rps")
    return rps is not None and any(
        ceiling and rps >= AT_CEILING_SHARE * ceiling for ceiling in ceilings
    )


def _api_saturated(facts: Facts) -> bool:
    """Not where nobody called it, nor where only others did: views without calls wait for none."""
    calls = facts.trial.case.http_client != "no-http" and facts.row.count("api_calls") != 0
    return calls and (
        facts.above("api_late_p99_ms", facts.late_ms)
        or facts.above("api_lag_p99_ms", facts.late_ms)
        or facts.above("api_full_share", BUSY_SHARE)
    )


def _loadgen_saturated(facts: Facts) -> bool:
    return (
        not facts.account.little_holds
        or facts.above("lag_p99_ms", facts.late_ms)
        or facts.above("driver_full_share", BUSY_SHARE)
    )


def _failures(facts: Facts) -> bool:
    """Of the row's requests, or in the window, also of one that was due before it."""
    failed = facts.recording.samples.drop_nulls("failure")
    in_the_window = in_window(failed, *facts.recording.window, "ended_s")
    return facts.above("failures", 0) or not in_the_window.is_empty()


def _bodies_unchecked(facts: Facts) -> bool:
    page = facts.trial.server.page
    return facts.trial.case.driver == "hey" or (page is not None and not page.expected_text)


def _more_processes(facts: Facts) -> bool:
    return facts.trial.server.processes > len(facts.recording.roles.app)


#: When a row deserves each, in the order in which they are told.
DESERVED: dict[Caveat, Callable[[Facts], bool]] = {
    AT_CEILING: _at_ceiling,
    API_SATURATED: _api_saturated,
    LOADGEN_SATURATED: _loadgen_saturated,
    CENSORED: lambda facts: facts.account.censored,
    TOO_FEW: lambda facts: facts.account.latency.too_few and not facts.account.censored,
    STARVED: lambda facts: facts.account.starved > 0,
    UNSTEADY: lambda facts: facts.account.unsteady,
    IN_STEP: lambda facts: IN_STEP.name in facts.signs,
    UNEVEN: lambda facts: UNEVEN.name in facts.signs,
    RAMP_IN_MEAN: lambda facts: RAMP_IN_MEAN.name in facts.signs,
    ONE_AT_A_TIME: lambda facts: ONE_AT_A_TIME.name in facts.signs,
    UNSTABLE: lambda _: False,
    FAILURES: _failures,
    BODIES_UNCHECKED: _bodies_unchecked,
    NOT_FRESH: lambda facts: facts.trial.server.always_on,
    MORE_PROCESSES: _more_processes,
    MORE_CPU: lambda facts: facts.above("app_cpu_share", 1 + TOLERANCE),
    SMT_SHARED: lambda facts: facts.recording.smt_shared,
    CPU_STOLEN: lambda facts: facts.above("steal_share", STOLEN_SHARE),
    CPU_DRIFT: lambda _: False,
}
ALL = tuple(DESERVED)
