"""Named warnings on a trial, each with its advice in short sentences."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loadgen.records.columns import OTHER_CPUS, Row
from loadgen.records.samples import in_window
from loadgen.suites.cases import NO_HTTP
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
        advice: what it means and what to do, in short sentences; the first follows a colon.
        short: the same in at most 56 letters, for a line of a terminal.
        unranks: the row says nothing about the server, so it is left out of rankings.
    """

    name: str
    advice: str
    short: str
    unranks: bool = False


AT_CEILING = Caveat(
    "at-ceiling",
    "throughput is within 5 % of the most that the users, the slots or the client's pool allow. So "
    "it cannot tell servers apart here. Compare CPU per view, or raise the limit that the column "
    "Bound by names.",
    short="users or slots set the rate; compare CPU per view",
)
API_SATURATED = Caveat(
    "api-saturated",
    "the upstream API was late or busy. This may have changed the row's figures. Its …_bound "
    "columns in trials.csv say by how much at most. A figure that may be off by more than 3 % is "
    "not ranked. Give the API a CPU of its own (API_CPUS in .env).",
    short="the API was late or busy; give it its own CPU",
)
LOADGEN_SATURATED = Caveat(
    "loadgen-saturated",
    "the load generator was late or busy. This may have changed the row's figures. Its …_bound "
    "columns in trials.csv say by how much at most. A figure that may be off by more than 3 % is "
    "not ranked. Give the load generator a CPU of its own (LOADGEN_CPUS in .env).",
    short="the load was late or busy; give it its own CPU",
)
CENSORED = Caveat(
    "censored",
    "some requests had no good answer: they failed, still waited when the load ended, or were "
    "dropped because too many waited. So the high percentiles are unknown, and the other latencies "
    "look better than they are. Lengthen the window or lower the load.",
    short="requests had no answer; high percentiles are unknown",
)
TOO_FEW = Caveat(
    "too-few",
    "fewer than five requests lie above a high percentile, so that percentile is left empty. "
    "Lengthen the window.",
    short="too few requests for high percentiles",
)
STARVED = Caveat(
    "starved",
    "some users waited through the whole window and got no answer in it. Percentiles count their "
    "requests as infinitely slow. Either the window is too short for every user to have a turn: it "
    "takes users / rps, in seconds. Or the server answered others first. It does so if it accepts "
    "more requests than it has slots for, or takes the newest first. Lengthen the window or lower "
    "the load.",
    short="users got no answer in the whole window; lengthen it",
)
UNSTEADY = Caveat(
    "unsteady",
    "the load did not settle: views/s or waiting times still changed when the window began or "
    "during it, or requests piled up. The figures depend on when the window began. Throughput "
    "counts what was answered within the window. Lower the load, or look for what else ran on the "
    "machine.",
    short="the load did not settle; lower it",
)
IN_STEP = Caveat(
    "in-step",
    "the users are answered in waves. They wait together, and the CPU idles between the waves. "
    "Real visitors do not come in waves, so throughput and percentiles say little about them. Use "
    "an open load (--rate-rps), whose requests come at random.",
    short="users are answered in waves; use an open load",
)
UNEVEN = Caveat(
    "uneven-processes",
    "there are slots for all users, but some processes got more connections than they have slots. "
    "Users wait there while other processes have free slots. Give each process more slots, or give "
    "all slots to one process.",
    short="some processes lack slots that others have free",
)
RAMP_IN_MEAN = Caveat(
    "ramp-in-mean",
    "the mean includes the ramp's climb and the wait of the first users. In its best ten seconds "
    "the server answered all that its users asked for: see max_rps.",
    short="the mean includes the ramp; see max_rps",
)
ONE_AT_A_TIME = Caveat(
    "one-at-a-time",
    "answers come one service time apart, so the views run one after the other. Something in the "
    "view blocks the event loop while it waits, such as a client that is not async.",
    short="something in the view blocks the event loop",
)
#: Of a case's rounds together, so no trial by itself deserves it: see summary.case_caveats.
UNSTABLE = Caveat(
    "unstable",
    "the rounds differ so much that their mean rate may be off by more than 5 %. Add rounds before "
    "you compare.",
    short="the mean rate may be off by over 5 %; add rounds",
)
FAILURES = Caveat(
    "failures",
    "some requests failed, or had no answer when the load ended (unanswered). The column failure "
    "in samples/ says which, and why.",
    short="requests failed; samples/ says why",
)
BODIES_UNCHECKED = Caveat(
    "bodies-unchecked",
    "answers were judged by their status alone, so a wrong body with status 200 counts as good. "
    "hey never looks at a body. A server of your own needs the label lab.expect.",
    short="a wrong body with status 200 is not seen",
)
NOT_FRESH = Caveat(
    "not-fresh",
    "the server already ran before the trial, with whatever earlier trials had left in it. Its CPU "
    "and memory are unknown, because the lab's launcher does not run it. docs/your-own-django.md "
    "says how to change that.",
    short="not started afresh; its CPU and memory are unknown",
)
MORE_PROCESSES = Caveat(
    "more-processes-than-cpus",
    "the server has more processes than CPUs, so its processes share CPUs. Give it more CPUs "
    "(APP_CPUS in .env) to see how it scales.",
    short="its processes share CPUs; widen APP_CPUS",
)
SMT_SHARED = Caveat(
    "smt-shared",
    "the app and the load run on two threads of one core, so they slow each other down. Give each "
    "of them whole cores: scripts/prepare --cpus proposes CPU sets for .env.",
    short="app and load share a core; give each whole cores",
)
MORE_CPU = Caveat(
    OTHER_CPUS,
    "the server used more CPU than it was given. So it also ran on other CPUs, beside the API and "
    "the load: this Docker engine does not keep to cpuset. Measure on one that does.",
    short="it also ran on CPUs of others; not ranked",
    unranks=True,
)
CPU_STOLEN = Caveat(
    "cpu-stolen",
    "the hypervisor took more than 1 % of the app's CPU time. The row's …_bound columns in "
    "trials.csv include this. Repeat on a quieter machine.",
    short="the hypervisor took CPU time; find a quieter machine",
)
#: Of the run's trials together, so no trial by itself deserves it: see drift.judged.
CPU_DRIFT = Caveat(
    "cpu-drift",
    "the CPU was more than 10 % faster or slower than in the median trial of this case. Repeat "
    "with more rounds.",
    short="the CPU's own speed changed; add rounds",
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
    listed = list(rows)
    share = changed_at_most(listed, metric)
    moved = [f"moved by up to {share:.0%}"] if share else []
    return blamed_alone(listed, metric) + moved


def blamed_alone(rows: Iterable[Row], metric: str = "rps") -> list[str]:
    """The names alone."""
    unranked = (row for row in rows if not row.is_ranked_for(metric))
    return in_order({name for row in unranked for name in _names_blamed(row, metric)})


def changed_at_most(rows: Iterable[Row], metric: str = "rps") -> float:
    """By what share instruments can have changed a metric of those rows that are not ranked for it;
    0 where that is within the margin, or is not known.
    """
    unranked = (row for row in rows if not row.is_ranked_for(metric))
    most = max((row.bound(metric) for row in unranked), default=0.0)
    return math.expm1(min(most, MOST_TOLD)) if most > MARGIN else 0.0


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
    calls = facts.trial.case.http_client != NO_HTTP and facts.row.count("api_calls") != 0
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
