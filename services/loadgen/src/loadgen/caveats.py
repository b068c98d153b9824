"""Named warnings on a trial, each with one sentence of advice."""

from dataclasses import dataclass

from loadgen.columns import Cell, Row
from loadgen.laws import slots_ceiling_rps, users_ceiling_rps
from loadgen.trial import Trial, service_time_s

#: CPU share of its set above which the API or the load generator may be what was measured.
BUSY_SHARE = 0.8
#: Share of a ceiling from which throughput says nothing about the server.
AT_CEILING_SHARE = 0.95
STOLEN_SHARE = 0.01
#: An upstream later than this, or than this share of the service time, disturbs what is measured.
LATE_MS = 2.0
LATE_SHARE = 0.01


@dataclass(frozen=True)
class Caveat:
    """A warning.

    Attributes:
        name: as in the `caveats` column.
        advice: one sentence: what it means and what to do.
        unranks: the row says nothing about the server, so it is left out of rankings.
    """

    name: str
    advice: str
    unranks: bool = False


AT_CEILING = Caveat(
    "at-ceiling",
    "throughput is what the users or slots allow at most, so it cannot tell servers apart: compare "
    "CPU per view, or add users.",
)
API_SATURATED = Caveat(
    "api-saturated",
    "the upstream API was late or busy, so this row may measure it: give it a CPU of its own.",
    unranks=True,
)
LOADGEN_SATURATED = Caveat(
    "loadgen-saturated",
    "the load generator was busy, so this row may measure it: give it a CPU of its own.",
    unranks=True,
)
CENSORED = Caveat(
    "censored",
    "requests were still waiting at the end, so high percentiles are unknown and the others "
    "flattering: lengthen the window or lower the load.",
)
TOO_FEW = Caveat(
    "too-few",
    "too few requests lie above the highest percentiles to state them: lengthen the window.",
)
FAILURES = Caveat(
    "failures", "some answers were wrong or missing: see the failure column of samples/."
)
BODIES_UNCHECKED = Caveat(
    "bodies-unchecked", "hey looks at the status alone, so a wrong body with status 200 passes."
)
MORE_PROCESSES = Caveat(
    "more-processes-than-cpus",
    "the server has more processes than CPUs, so they share them: widen APP_CPUS to see it scale.",
)
CPU_STOLEN = Caveat(
    "cpu-stolen", "the hypervisor took over 1 % of the app's CPU time: repeat on a quieter machine."
)

ALL = (
    AT_CEILING,
    API_SATURATED,
    LOADGEN_SATURATED,
    CENSORED,
    TOO_FEW,
    FAILURES,
    BODIES_UNCHECKED,
    MORE_PROCESSES,
    CPU_STOLEN,
)


def find(row: Row, trial: Trial, censored: bool, app_cpu_count: int) -> list[Caveat]:
    """The warnings that a row deserves, in the order of `ALL`.

    Args:
        row: its cells so far.
        trial: what was measured.
        censored: whether a percentile of the requests due lands on an unanswered one.
        app_cpu_count: CPUs of the app's set.
    """
    percentiles = (row["p50_ms"], row["p95_ms"], row["p99_ms"])
    applies = {
        AT_CEILING: _at_ceiling(row, trial),
        API_SATURATED: _api_saturated(row, trial),
        LOADGEN_SATURATED: _above(row["loadgen_cpu_share"], BUSY_SHARE),
        CENSORED: censored,
        TOO_FEW: not censored and None in percentiles,
        FAILURES: _above(row["failures"], 0),
        BODIES_UNCHECKED: trial.case.driver == "hey",
        MORE_PROCESSES: trial.server.processes > app_cpu_count,
        CPU_STOLEN: _above(row["steal_share"], STOLEN_SHARE),
    }
    return [caveat for caveat in ALL if applies[caveat]]


def _at_ceiling(row: Row, trial: Trial) -> bool:
    """Near users / S or slots / S; of a ramp, its mean users count, for `rps` is a mean too."""
    service_s = service_time_s(trial.case)
    ceilings = (
        users_ceiling_rps(trial.case.mean_users, service_s),
        slots_ceiling_rps(trial.server.slots, service_s),
    )
    return any(ceiling and _above(row["rps"], AT_CEILING_SHARE * ceiling) for ceiling in ceilings)


def _api_saturated(row: Row, trial: Trial) -> bool:
    late_ms = max(LATE_MS, LATE_SHARE * service_time_s(trial.case) * 1000)
    return (
        _above(row["api_late_p99_ms"], late_ms)
        or _above(row["api_lag_p99_ms"], late_ms)
        or _above(row["api_cpu_share"], BUSY_SHARE)
    )


def _above(cell: Cell, bound: float) -> bool:
    """Whether a cell is known and above the bound."""
    return isinstance(cell, int | float) and cell > bound
