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
    Column("case", TEXT, "all axes in one word: the key of samples, resume and compare"),
    Column("round", COUNT, "1, 2, … of the run's repeats"),
    Column("repeat", COUNT, "1, 2, … of a search's windows at one rate; empty outside of one"),
    Column(
        "attempt",
        COUNT,
        "1; 2 or 3 of a trial that was measured again, with those compared with it, since an "
        "instrument may have moved it by more than the margin",
    ),
    Column(
        "partner",
        TEXT,
        "of a duet: the case that was under the same load at the same time, on the same CPUs",
    ),
    Column("position", COUNT, "the trial's place in the run, from 1; a search has one for all its"),
    Column(
        "session",
        COUNT,
        "1; 2, 3, … of a run that was resumed: `sessions` in environment.json says when and where. "
        "A round that another machine would have to finish is begun anew there",
    ),
    Column("outcome", TEXT, "`measured`, or why there is nothing to measure"),
    Column("suite", TEXT, "the suites that asked for it, joined with +"),
    Column("server", TEXT, "the Compose service"),
    Column("title", TEXT, "its name in tables"),
    Column("interface", TEXT, "wsgi or asgi"),
    Column("processes", COUNT, "worker processes, as declared"),
    Column("slots", COUNT, "requests it can hold in flight; empty = unbounded"),
    Column("settings", TEXT, "the Django settings it ran with"),
    Column("view", TEXT, "how the view is written: sync or async"),
    Column(
        "workload",
        TEXT,
        "fanout (calls at once, HTML), serial (calls one after the other, HTML) or single (one "
        "call, JSON)",
    ),
    Column("http_client", TEXT, "library and lifetime of the view's client"),
    Column(
        "upstream",
        TEXT,
        "what the view calls: the API over http or https, or article A's own (django)",
    ),
    Column("delays_ms", TEXT, "the API's delay of each call of a view", unit="ms"),
    Column("cpu_ms", NUMBER, "CPU time that the view burns besides", unit="ms"),
    Column("driver", TEXT, "the program that made the load"),
    Column("load", TEXT, "closed (users who wait for answers) or open (arrivals)"),
    Column("arrivals", TEXT, "spacing of an open load's arrivals: poisson, constant or jittered"),
    Column("users", COUNT, "concurrent users; of a ramp: its plateau"),
    Column("rate_rps", NUMBER, "mean arrival rate of an open load", unit="1/s"),
    Column("planned_requests", COUNT, "requests of a counted load"),
    Column(
        "arrivals_seed",
        COUNT,
        "what an open load's arrivals were drawn with, from the run's seed, the round and the load",
    ),
    Column("started_at", TEXT, "UTC time at which the load began"),
    Column("warm_up_s", NUMBER, "load before the window: what it took to become steady", unit="s"),
    Column(
        "window_s",
        NUMBER,
        "length of the window; of a counted load: first request to last answer",
        unit="s",
    ),
    Column("slices", COUNT, "of a duet: the stretches that its CPU per view is a mean of"),
    Column(
        "requests",
        COUNT,
        "requests that the latency columns speak of: those due in the window, and the starved ones",
    ),
    Column(
        "failures",
        COUNT,
        "of those: wrong status, wrong body, or no answer by the load's end; a starved one that "
        "was answered after the window is none, though percentiles take it as infinitely slow",
    ),
    Column(
        "unanswered",
        COUNT,
        "requests due in the window or before it without an answer by the load's end; samples/ "
        "also holds those that were due after the window, which no row counts",
    ),
    Column(
        "starved",
        COUNT,
        "users whose request waited through the whole window: it ranks as infinitely slow",
    ),
    Column(
        "dropped", COUNT, "arrivals of an open load that its cap on outstanding requests refused"
    ),
    Column("offered_rps", NUMBER, "requests due in the window by its length", unit="1/s"),
    Column(
        "rps",
        NUMBER,
        "good answers by the window's length: parts_rps of a closed load that is steady, else "
        "ended_rps",
        unit="1/s",
        summarised=True,
    ),
    Column(
        "parts_rps",
        NUMBER,
        "the same, an answer that lies partly in the window counted by that part",
        unit="1/s",
    ),
    Column("ended_rps", NUMBER, "the same, of the answers that came in the window", unit="1/s"),
    Column(
        "max_rps",
        NUMBER,
        "the best mean rate of good answers over any 10 s of the window: of one hardly longer it "
        "may be below rps",
        unit="1/s",
        summarised=True,
    ),
    Column("inflight_mean", NUMBER, "mean number of requests in flight in the window"),
    Column(
        "inflight_growth",
        NUMBER,
        "of an open load: how much of what arrived stayed in flight, from the window's first third "
        "to its last",
    ),
    Column("min_ms", NUMBER, "the fastest good answer", unit="ms", summarised=True),
    Column("avg_ms", NUMBER, "mean latency of good answers", unit="ms", summarised=True),
    Column(
        "p50_ms",
        NUMBER,
        "median latency; a failure ranks as infinitely slow",
        unit="ms",
        summarised=True,
    ),
    Column("p95_ms", NUMBER, "95th percentile, nearest rank", unit="ms", summarised=True),
    Column("p99_ms", NUMBER, "99th percentile, nearest rank", unit="ms", summarised=True),
    Column("max_ms", NUMBER, "the slowest good answer", unit="ms", summarised=True),
    Column(
        "sent_p95_ms",
        NUMBER,
        "95th percentile from the instant sent; all others count from the instant due",
        unit="ms",
    ),
    Column(
        "lag_p99_ms", NUMBER, "p99 of (sent − due): the load generator's own lateness", unit="ms"
    ),
    Column(
        "app_cpu_seconds",
        NUMBER,
        "CPU time of the server's process tree between the snapshots",
        unit="s",
    ),
    Column("app_cpu_ms_per_view", NUMBER, "the same by good answers", unit="ms", summarised=True),
    Column(
        "app_cpu_reference_ms_per_view",
        NUMBER,
        "the same at the speed of a CPU on which the probe takes 0.2 ms: free of the CPU's drift",
        unit="ms",
        summarised=True,
    ),
    Column("app_cpu_share", NUMBER, "the same by time and by the app's CPUs", summarised=True),
    Column(
        "app_pss_mib",
        NUMBER,
        "proportional memory of the tree after the window",
        unit="MiB",
        summarised=True,
    ),
    Column(
        "app_peak_mib",
        NUMBER,
        "sum of its processes' peak resident memory",
        unit="MiB",
        summarised=True,
    ),
    Column("app_processes", COUNT, "processes of the tree at the window's end"),
    Column("app_threads", COUNT, "threads of the tree at the window's end", summarised=True),
    Column(
        "api_calls",
        COUNT,
        "calls that the API received between the snapshots, in a duet's rows those of both sides; "
        "article A's own counts none",
    ),
    Column("api_cpu_share", NUMBER, "CPU time of the API by time and by its CPUs"),
    Column(
        "api_full_share",
        NUMBER,
        "its CPU time by what its one process could have had beside the load generator: 1 is full",
    ),
    Column("api_late_mean_ms", NUMBER, "how late the API answered, on average", unit="ms"),
    Column(
        "api_late_p99_ms", NUMBER, "p99 of how late the API answered, by its own record", unit="ms"
    ),
    Column("api_lag_p99_ms", NUMBER, "p99 of the API's event-loop lag", unit="ms"),
    Column("loadgen_cpu_share", NUMBER, "CPU time of the load generator by time and by its CPUs"),
    Column(
        "driver_full_share",
        NUMBER,
        "CPU time of the driver's process by what it could have had beside the API: 1 is full",
    ),
    Column("steal_share", NUMBER, "time that the hypervisor took from the app's CPUs"),
    Column(
        "calibration_ms",
        NUMBER,
        "wall time of a fixed loop on the app's CPUs before the trial, the best of many",
        unit="ms",
    ),
    Column(
        "probe_ms",
        NUMBER,
        "CPU time of the probe, a fixed loop beside the server, in the window: how fast its CPU is",
        unit="ms",
    ),
    Column("probe_sd_ms", NUMBER, "standard deviation of its means of each second", unit="ms"),
    *(
        Column(
            f"{metric}_bound",
            NUMBER,
            f"the most that API, driver and stolen time can have moved {metric}, as a share of it",
        )
        for metric in BOUNDED
    ),
    Column(
        "service_time_ms",
        NUMBER,
        "what a view waits at least: the longest upstream delay, of serial their sum; of a "
        "server's own page as its label says",
        unit="ms",
    ),
    Column("users_ceiling_rps", NUMBER, "users / service time", unit="1/s"),
    Column("slots_ceiling_rps", NUMBER, "slots / service time", unit="1/s"),
    Column(
        "pool_ceiling_rps", NUMBER, "processes × client connections / sum of the delays", unit="1/s"
    ),
    Column("cpu_ceiling_rps", NUMBER, "usable CPUs / CPU time per view", unit="1/s"),
    Column(
        "cpu_ceiling_kind",
        TEXT,
        "measured (at 90 % of the usable CPUs), or lower-bound (CPU per view falls with load)",
    ),
    Column(
        "bound_by",
        TEXT,
        "what was used up: users, slots, pool, cpu, api, or the rate of an open load; ties joined "
        "with +; `unexplained` below 90 %",
    ),
    Column("ceiling_share", NUMBER, "how much of the most used of them was used, up to 1"),
    Column(
        "ranked",
        TEXT,
        "no where the instruments can have moved rps by more than the margin, 3 %, or the server "
        "used more CPU than it was given; other metrics count by their own bound",
    ),
    Column("caveats", TEXT, "names of the warnings on this row, joined with spaces"),
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
        raise ValueError(f"{column.name} is {cell!r}, which is no number") from None
