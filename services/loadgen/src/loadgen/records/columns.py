"""The one table of column names, units and meanings: every CSV header comes from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loadgen.theory.statistics import MARGIN

type Cell = str | int | float | None

type Kind = type[str] | type[int] | type[float]
TEXT: Kind = str
COUNT: Kind = int
NUMBER: Kind = float


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: as in the header.
        kind: what its cells hold: TEXT, COUNT (whole) or NUMBER.
        meaning: one sentence.
        unit: of its values; empty for text and plain counts.
        summarised: whether summary.csv holds its mean and interval over rounds.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    summarised: bool = False


#: The outcomes of a duet that was given up, by what leaves too small a load for it: what the suite
#: asks for, the slots of a side, its client's pool, what a view costs;
LOAD_TOO_SMALL = "load-too-small"
TOO_FEW_SLOTS = "too-few-slots"
POOL_TOO_SMALL = "pool-too-small"
COSTS_TOO_HIGH = "costs-too-high"
#: or a side did not answer what it was asked for.
COSTS_TOO_UNLIKE = "costs-too-unlike"
GIVEN_UP = frozenset(
    {LOAD_TOO_SMALL, TOO_FEW_SLOTS, POOL_TOO_SMALL, COSTS_TOO_HIGH, COSTS_TOO_UNLIKE}
)

#: The metrics of which a row says how much its instruments can have moved them.
BOUNDED = (
    *("rps", "avg_ms", "p50_ms", "p95_ms", "p99_ms"),
    *("app_cpu_ms_per_view", "app_cpu_reference_ms_per_view"),
)

#: What else is moved as one of these is.
BOUND_OF = {"max_rps": "rps", "app_cpu_share": "rps", "max_ms": "p99_ms"}

TRIALS: tuple[Column, ...] = (
    Column(
        "case",
        TEXT,
        "the case's name, made of all its axes; samples/, --resume and compare use it as their key",
    ),
    Column("round", COUNT, "the round in which the trial was measured, from 1"),
    Column(
        "repeat", COUNT, "of a search: the number of the window at this rate, from 1; else empty"
    ),
    Column(
        "attempt",
        COUNT,
        "1; or 2 or 3 where the trial was measured again, because the lab itself may have changed "
        "its figures, or those of a case that it is compared with, by more than 3 %",
    ),
    Column(
        "partner",
        TEXT,
        "of a duet: the other case, which was under the same load at the same time, on the same "
        "CPUs",
    ),
    Column(
        "position",
        COUNT,
        "the trial's place in the run, from 1; all windows of a search share one place",
    ),
    Column(
        "session",
        COUNT,
        "1 at first; 2, 3, … after the run was resumed. `sessions` in environment.json says when "
        "and where. A round that another machine left unfinished is measured anew as a whole",
    ),
    Column("outcome", TEXT, "`measured`, or why the trial could not be measured"),
    Column("suite", TEXT, "the suites that asked for it, joined with +"),
    Column("server", TEXT, "the Compose service"),
    Column("title", TEXT, "the server's name in tables"),
    Column("interface", TEXT, "wsgi or asgi"),
    Column("processes", COUNT, "worker processes, as the server's label declares"),
    Column("slots", COUNT, "requests that the server can hold in flight; empty: no limit"),
    Column("settings", TEXT, "the Django settings that the server ran with"),
    Column("view", TEXT, "how the view is written: sync or async"),
    Column(
        "workload",
        TEXT,
        "fanout (calls in parallel, HTML), serial (calls one after the other, HTML) or single (one "
        "call, JSON)",
    ),
    Column("http_client", TEXT, "the view's HTTP client: its library, and how long it lives"),
    Column(
        "upstream",
        TEXT,
        "what the view calls: the API over http or https, or article A's own (django)",
    ),
    Column(
        "delays_ms",
        TEXT,
        "how long the API waits before it answers, for each call of a view",
        unit="ms",
    ),
    Column("cpu_ms", NUMBER, "CPU time that the view computes for, besides its calls", unit="ms"),
    Column("driver", TEXT, "the program that made the load"),
    Column("load", TEXT, "closed (users who wait for their answers) or open (arrivals at a rate)"),
    Column(
        "arrivals", TEXT, "how an open load's arrivals are spaced: poisson, constant or jittered"
    ),
    Column("users", COUNT, "users at once; of a ramp: how many there are after its climb"),
    Column("rate_rps", NUMBER, "mean arrival rate of an open load", unit="1/s"),
    Column("planned_requests", COUNT, "how many requests a counted load makes"),
    Column(
        "arrivals_seed",
        COUNT,
        "the random seed of an open load's arrivals, made from the run's seed, the round and the "
        "load",
    ),
    Column("started_at", TEXT, "UTC time at which the load began"),
    Column(
        "warm_up_s",
        NUMBER,
        "length of the warm-up: the load before the window, until it was steady or its time was "
        "over",
        unit="s",
    ),
    Column(
        "window_s",
        NUMBER,
        "length of the window; of a counted load: from the first request to the last answer",
        unit="s",
    ),
    Column("slices", COUNT, "of a duet: the number of slices that its CPU per view is the mean of"),
    Column(
        "requests",
        COUNT,
        "requests that the latency columns describe: those due in the window, and those of starved "
        "users",
    ),
    Column(
        "failures",
        COUNT,
        "how many of these requests failed: wrong status, wrong body, or no answer by the load's "
        "end. A starved user's request that was answered after the window is no failure, though "
        "percentiles count it as infinitely slow",
    ),
    Column(
        "unanswered",
        COUNT,
        "requests due in the window or before it that had no answer by the load's end. samples/ "
        "also has those that were due after the window; no row counts them",
    ),
    Column(
        "starved",
        COUNT,
        "users whose request waited through the whole window; percentiles count it as infinitely "
        "slow",
    ),
    Column(
        "dropped",
        COUNT,
        "arrivals of an open load that were not sent, because too many requests were in flight",
    ),
    Column("offered_rps", NUMBER, "requests due in the window, divided by its length", unit="1/s"),
    Column(
        "rps",
        NUMBER,
        "good answers in the window, divided by its length: parts_rps where a closed load is "
        "steady, else ended_rps",
        unit="1/s",
        summarised=True,
    ),
    Column(
        "parts_rps",
        NUMBER,
        "good answers divided by the window's length; one that lies partly in the window counts in "
        "part",
        unit="1/s",
    ),
    Column(
        "ended_rps",
        NUMBER,
        "good answers that came within the window, divided by its length",
        unit="1/s",
    ),
    Column(
        "max_rps",
        NUMBER,
        "the best mean rate of good answers over any 10 s of the window; in a window of little "
        "more than 10 s it may be below rps",
        unit="1/s",
        summarised=True,
    ),
    Column("inflight_mean", NUMBER, "mean number of requests in flight in the window"),
    Column(
        "inflight_growth",
        NUMBER,
        "of an open load: the share of the arrivals that piled up in flight between the window's "
        "first third and its last",
    ),
    Column("min_ms", NUMBER, "the fastest good answer", unit="ms", summarised=True),
    Column("avg_ms", NUMBER, "mean latency of good answers", unit="ms", summarised=True),
    Column(
        "p50_ms",
        NUMBER,
        "median latency; a failed request counts as infinitely slow",
        unit="ms",
        summarised=True,
    ),
    Column(
        "p95_ms", NUMBER, "95th percentile of latency, nearest rank", unit="ms", summarised=True
    ),
    Column(
        "p99_ms", NUMBER, "99th percentile of latency, nearest rank", unit="ms", summarised=True
    ),
    Column("max_ms", NUMBER, "the slowest good answer", unit="ms", summarised=True),
    Column(
        "sent_p95_ms",
        NUMBER,
        "95th percentile of latency, counted from the instant when a request was sent; all other "
        "latencies count from the instant when it was due",
        unit="ms",
    ),
    Column(
        "lag_p99_ms", NUMBER, "p99 of (sent − due): how late the load generator sent", unit="ms"
    ),
    Column(
        "app_cpu_seconds",
        NUMBER,
        "CPU time of the server, all its processes together, between the snapshots (the readings "
        "at the window's two ends)",
        unit="s",
    ),
    Column(
        "app_cpu_ms_per_view",
        NUMBER,
        "CPU per view: app_cpu_seconds divided by the good answers between the snapshots",
        unit="ms",
        summarised=True,
    ),
    Column(
        "app_cpu_reference_ms_per_view",
        NUMBER,
        "CPU per view, converted to a CPU on which the probe takes 0.2 ms: so it is free of the "
        "CPU's drift",
        unit="ms",
        summarised=True,
    ),
    Column(
        "app_cpu_share",
        NUMBER,
        "app_cpu_seconds divided by the time between the snapshots and by the app's CPUs: 1 is "
        "full",
        summarised=True,
    ),
    Column(
        "app_pss_mib",
        NUMBER,
        "memory of the server after the window, shared pages split among processes (PSS)",
        unit="MiB",
        summarised=True,
    ),
    Column(
        "app_peak_mib",
        NUMBER,
        "peak resident memory, summed over the server's processes",
        unit="MiB",
        summarised=True,
    ),
    Column("app_processes", COUNT, "processes of the server at the window's end"),
    Column("app_threads", COUNT, "threads of the server at the window's end", summarised=True),
    Column(
        "api_calls",
        COUNT,
        "calls that the API received between the snapshots; in a duet's row those of both sides. "
        "Article A's own API does not count its calls",
    ),
    Column(
        "api_cpu_share",
        NUMBER,
        "CPU time of the API, divided by the time between the snapshots and by its CPUs",
    ),
    Column(
        "api_full_share",
        NUMBER,
        "CPU time of the API, divided by what its one process could have had beside the load "
        "generator: 1 is full",
    ),
    Column("api_late_mean_ms", NUMBER, "how late the API answered, on average", unit="ms"),
    Column("api_late_p99_ms", NUMBER, "p99 of how late the API answered", unit="ms"),
    Column(
        "api_lag_p99_ms",
        NUMBER,
        "p99 of the API's event-loop lag: how late its event loop saw what was due",
        unit="ms",
    ),
    Column(
        "loadgen_cpu_share",
        NUMBER,
        "CPU time of the load generator, divided by the time between the snapshots and by its CPUs",
    ),
    Column(
        "driver_full_share",
        NUMBER,
        "CPU time of the driver's process, divided by what it could have had beside the API: 1 is "
        "full",
    ),
    Column("steal_share", NUMBER, "share of the app's CPU time that the hypervisor took"),
    Column(
        "calibration_ms",
        NUMBER,
        "how long a fixed loop took on the app's CPUs before the trial, in its fastest pass",
        unit="ms",
    ),
    Column(
        "probe_ms",
        NUMBER,
        "how fast the app's CPU was in the window: the mean CPU time of the probe, a fixed loop "
        "that runs beside the server",
        unit="ms",
    ),
    Column(
        "probe_sd_ms",
        NUMBER,
        "standard deviation of the probe's means, one for each second",
        unit="ms",
    ),
    *(
        Column(
            f"{metric}_bound",
            NUMBER,
            f"the most that API, driver and stolen time can have changed {metric}, as a share",
        )
        for metric in BOUNDED
    ),
    Column(
        "service_time_ms",
        NUMBER,
        "the least that a view waits: the longest delay of its calls; of the workload serial their "
        "sum; of a server's own page what its label says",
        unit="ms",
    ),
    Column("users_ceiling_rps", NUMBER, "users / service time", unit="1/s"),
    Column("slots_ceiling_rps", NUMBER, "slots / service time", unit="1/s"),
    Column(
        "pool_ceiling_rps", NUMBER, "processes × client connections / sum of the delays", unit="1/s"
    ),
    Column("cpu_ceiling_rps", NUMBER, "usable CPUs / CPU per view", unit="1/s"),
    Column(
        "cpu_ceiling_kind",
        TEXT,
        "measured (at least 90 % of the usable CPUs were busy) or lower-bound (fewer were busy: "
        "CPU per view falls with load, so the true ceiling is higher)",
    ),
    Column(
        "bound_by",
        TEXT,
        "what was used up: users, slots, pool, cpu, api, or the rate of an open load. Ties are "
        "joined with +. `unexplained` where nothing was used to 90 %",
    ),
    Column(
        "ceiling_share", NUMBER, "how much was used of the resource that was used most: 1 is all"
    ),
    Column(
        "ranked",
        TEXT,
        "`no` if the lab itself may have changed rps by more than 3 %, or the server used more CPU "
        "than it was given, or too many requests of a duet failed; else `yes`. Other metrics count "
        "by their own bound",
    ),
    Column("caveats", TEXT, "names of the warnings on this row, separated by spaces"),
)

#: What has a mean over rounds: it can be summarised, compared and sorted by.
METRICS = tuple(column.name for column in TRIALS if column.summarised)

_NAMES = frozenset(column.name for column in TRIALS)


#: The caveat of a row that says nothing of its server, in no metric.
OTHER_CPUS = "more-cpu-than-given"


class Row(dict[str, Cell]):
    """A row of trials.csv: a cell for every column, None where nothing could be measured.

    A cell is asked for as what it holds. One that holds something else counts as empty.
    """

    def text(self, column: str) -> str:
        """A text, or a number in plain digits; empty where there is none."""
        cell = self[column]
        return "" if cell is None else str(cell)

    def number(self, column: str) -> float | None:
        """A number, whole or not; None where there is none."""
        cell = self[column]
        return float(cell) if isinstance(cell, int | float) else None

    def count(self, column: str) -> int | None:
        """A whole number; None where there is none."""
        cell = self[column]
        return cell if isinstance(cell, int) else None

    @property
    def case(self) -> str:
        """The case's slug."""
        return self.text("case")

    @property
    def caveats(self) -> list[str]:
        """The names of its warnings."""
        return self.text("caveats").split()

    @property
    def is_measured(self) -> bool:
        """Whether the trial could be measured."""
        return self["outcome"] == "measured"

    @property
    def is_settled(self) -> bool:
        """Whether nothing more can be got of its trial: measured, or known to be no duet."""
        return self.is_measured or self.is_given_up

    @property
    def is_given_up(self) -> bool:
        """Whether it is of a duet whose sides can have no load in common."""
        return self["outcome"] in GIVEN_UP

    @property
    def is_ranked(self) -> bool:
        """Whether it speaks of its server, and not of the lab."""
        return self["ranked"] == "yes"

    def bound(self, metric: str) -> float:
        """The most that instruments can have moved a metric, as ln; 0 where that is not known, as
        in runs of before there were bounds, or where none can.
        """
        bounded = BOUND_OF.get(metric, metric)
        return (self.number(f"{bounded}_bound") or 0.0) if bounded in BOUNDED else 0.0

    def is_ranked_for(self, metric: str) -> bool:
        """Whether it speaks of its server in this metric: no instrument can have moved it by more
        than the margin. One that can have moved throughput may leave CPU and memory alone.
        """
        by_throughput_alone = self.bound("rps") > MARGIN and OTHER_CPUS not in self.caveats
        return (self.is_ranked or by_throughput_alone) and self.bound(metric) <= MARGIN

    @property
    def is_window(self) -> bool:
        """Whether it is a window of a search, and so no round of a case."""
        return self["repeat"] is not None

    @property
    def attempt(self) -> int:
        """1, 2, … of its trial; runs of before there were attempts made one."""
        return self.count("attempt") or 1

    @property
    def is_of_duet(self) -> bool:
        """Whether another server was under load beside it: it tells what a view costs, no more."""
        return self["partner"] is not None

    def __or__(self, cells: Mapping[str, Cell]) -> "Row":  # type: ignore[override]
        """The same row with these cells."""
        return Row({**self, **cells})


def row(cells: Mapping[str, object]) -> Row:
    """A whole row from the cells that are known; the others are empty.

    Raises:
        KeyError: a cell has no column.
    """
    if unknown := set(cells) - _NAMES:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    return Row({column.name: _cell(cells.get(column.name)) for column in TRIALS})


def last_attempts(rows: Iterable[Row]) -> list[Row]:
    """The rows that count: of a trial that was measured again, the last one."""
    listed = list(rows)
    last = {_place(row): row.attempt for row in sorted(listed, key=lambda row: row.attempt)}
    return [row for row in listed if row.attempt == last[_place(row)]]


def _place(row: Row) -> tuple[Cell, ...]:
    """What the attempts of a trial share."""
    return tuple(row[axis] for axis in ("case", "round", "repeat", "partner"))


def rows_by_case(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of each case, in their order, of the trials that it had to itself; of one that was
    measured again, the last: what a case says by itself.
    """
    return {case: last_attempts(of_case) for case, of_case in attempts_by_case(rows).items()}


def attempts_by_case(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The same with every attempt: two cases are compared by one that both have.

    Windows of a search are no rounds of one, and a duet has its rows in pairs.
    """
    by_case: dict[str, list[Row]] = {}
    for of_case in rows:
        if not of_case.is_window and not of_case.is_of_duet:
            by_case.setdefault(of_case.case, []).append(of_case)
    return by_case


def rows_by_duet(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows of each side of each duet, by its case and its partner's, in their order."""
    by_side: dict[tuple[str, str], list[Row]] = {}
    for of_side in rows:
        if of_side.is_of_duet:
            by_side.setdefault((of_side.case, of_side.text("partner")), []).append(of_side)
    return by_side


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"not a cell: {value!r}")


def cell_text(value: Cell) -> str:
    """A cell as CSV text: floats with six significant digits, empty for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def parse_line(line: Mapping[str, str]) -> Row:
    """A line of trials.csv, as `cell_text` wrote it → the row.

    A run made before a column was added lacks it: such cells are empty.

    Raises:
        KeyError: the line has a column that is unknown.
        ValueError: a cell is not of its column's kind.
    """
    if unknown := set(line) - _NAMES:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    return Row({column.name: _read(column, line.get(column.name)) for column in TRIALS})


def _read(column: Column, cell: str | None) -> Cell:
    try:
        return column.kind(cell) if cell else None
    except ValueError:
        raise ValueError(f"{column.name} is {cell!r}, which is not a number") from None
