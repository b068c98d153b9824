"""What the searches of a run found: the highest rate that each stack carries, round by round."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loadgen.findings.rate_holds import judge_window
from loadgen.records.columns import COUNT, NUMBER, TEXT, Cell, Column, Row
from loadgen.records.files import write_csv
from loadgen.suites.cases import NO_HTTP, Case
from loadgen.suites.labels import Labels, titles
from loadgen.suites.search import Bracket, Rules, Window, next_step
from loadgen.suites.suite import Suite
from loadgen.theory.statistics import Interval, interval, mean_of_known

#: Of capacity.csv.
COLUMNS = (
    Column("suite", TEXT, "the suite that searches"),
    Column(
        "case", TEXT, "the case with its users, which measures what a view costs before the search"
    ),
    Column("round", COUNT, "the round in which the search was made, from 1"),
    Column("server", TEXT, "the Compose service"),
    Column("title", TEXT, "the server's name in tables"),
    Column("http_client", TEXT, "the view's HTTP client: its library, and how long it lives"),
    Column(
        "cpus",
        COUNT,
        "CPUs that the server can use: those of the app, at most one for each process",
    ),
    Column(
        "cpu_ceiling_rps",
        NUMBER,
        "C / D (usable CPUs / CPU per view) with these users: where the search starts from",
        unit="1/s",
    ),
    Column("low_rps", NUMBER, "the last rate that the stack holds; empty: not found", unit="1/s"),
    Column(
        "high_rps", NUMBER, "the first rate that it does not hold; empty: not found", unit="1/s"
    ),
    Column("low_rps_per_cpu", NUMBER, "low_rps / usable CPUs", unit="1/s"),
    Column("high_rps_per_cpu", NUMBER, "high_rps / usable CPUs", unit="1/s"),
    Column(
        "app_cpu_ms_per_view",
        NUMBER,
        "CPU per view at low_rps: mean of the windows that held",
        unit="ms",
    ),
    Column("app_cpu_share", NUMBER, "how busy the app's CPUs were in those windows: 1 is full"),
    Column(
        "app_pss_mib",
        NUMBER,
        "memory of the server after those windows, shared pages split among processes (PSS)",
        unit="MiB",
    ),
    Column("inflight_mean", NUMBER, "mean number of views in flight in those windows"),
    Column("memory_mib_per_view", NUMBER, "app_pss_mib / inflight_mean", unit="MiB"),
    Column("gave_way", TEXT, "which limits the windows at high_rps broke"),
    Column("windows", TEXT, "every window in order: its rate, and whether it held"),
    Column(
        "reason", TEXT, "why a rate was not found, or why low_rps and high_rps are not neighbours"
    ),
)

UNFINISHED = "the search is not finished"


@dataclass(frozen=True)
class Capacity:
    """What one search found of a stack, in one round: the columns of capacity.csv, and more.

    Attributes:
        caveats: names, of the windows that held at low_rps.
        gave_way: the criteria that the windows at high_rps failed, as `judge_window` says them.
        windows: every window in its order: rate, and whether it held (None: it says nothing).
    """

    suite: str
    case: Case
    round: int
    title: str
    cpus: int | None = None
    cpu_ceiling_rps: float | None = None
    low_rps: float | None = None
    high_rps: float | None = None
    app_cpu_ms_per_view: float | None = None
    app_cpu_share: float | None = None
    app_pss_mib: float | None = None
    inflight_mean: float | None = None
    caveats: tuple[str, ...] = ()
    gave_way: tuple[str, ...] = ()
    windows: tuple[tuple[float, bool | None], ...] = ()
    reason: str = ""

    @property
    def low_rps_per_cpu(self) -> float | None:
        """The last rate that holds, by usable CPUs."""
        return _by(self.low_rps, self.cpus)

    @property
    def high_rps_per_cpu(self) -> float | None:
        """The first rate that does not hold, by usable CPUs."""
        return _by(self.high_rps, self.cpus)

    @property
    def memory_mib_per_view(self) -> float | None:
        """The server's whole memory by the views that it holds: its base is shared among them."""
        return _by(self.app_pss_mib, self.inflight_mean)

    @property
    def share_of_ceiling(self) -> float | None:
        """How much of C / D it carries without delay."""
        return _by(self.low_rps, self.cpu_ceiling_rps)


@dataclass(frozen=True)
class StackCapacity:
    """A stack over the rounds of a run.

    Attributes:
        name: the server's service, and all else that differs in its suite.
        label: the same with the server's title.
        rounds: its searches, by round.
        without_http: those of the same stack with views that call nobody; empty of itself, and
            where nothing of the kind was searched.
    """

    name: str
    label: str
    rounds: tuple[Capacity, ...]
    without_http: tuple[Capacity, ...] = ()

    @property
    def calls(self) -> bool:
        """Whether its views call an API."""
        return self.rounds[0].case.http_client != NO_HTTP

    @property
    def bracketed(self) -> tuple[Capacity, ...]:
        """The rounds in which both ends were found."""
        return tuple(
            search
            for search in self.rounds
            if search.low_rps is not None and search.high_rps is not None
        )

    @property
    def low_rps_per_cpu(self) -> float | None:
        """The lowest of the rounds' last rates that hold, per core: it held in every round."""
        return min(
            filter(None, (search.low_rps_per_cpu for search in self.bracketed)), default=None
        )

    @property
    def high_rps_per_cpu(self) -> float | None:
        """The highest of the rounds' first rates that do not hold, per core: it held in none."""
        return max(
            filter(None, (search.high_rps_per_cpu for search in self.bracketed)), default=None
        )

    @property
    def share_of_no_http(self) -> Interval | None:
        """What it carries by what its server does where views call nobody: over the rounds that
        know both.
        """
        whole = {each.round: each.low_rps_per_cpu for each in self.without_http}
        both = ((each.low_rps_per_cpu, whole.get(each.round)) for each in self.bracketed)
        return interval([share for pair in both if (share := _by(*pair)) is not None])

    @property
    def gave_way(self) -> tuple[str, ...]:
        """The names of the criteria that failed, in any round."""
        names = (words.partition(":")[0] for search in self.bracketed for words in search.gave_way)
        return tuple(dict.fromkeys(names))

    def mean(self, attribute: str) -> float | None:
        """The mean of an attribute of `Capacity` over the rounds in which both ends were found."""
        return mean_of_known([getattr(search, attribute) for search in self.bracketed])


def capacities(suites: Iterable[Suite], rows: Sequence[Row]) -> list[Capacity]:
    """What the searches found, from the rows alone: of each suite, its stacks, and their rounds.

    For summaries over rounds see `stacks`.
    """
    return [
        _capacity(suite.name, case, suite.search, first, rows)
        for suite in suites
        if suite.search
        for case in suite.cases
        for first in rows
        if first.case == case.slug and not (first.is_window or first.is_of_duet)
    ]


def stacks(suite: Suite, rows: Sequence[Row]) -> list[StackCapacity]:
    """A suite's stacks over their rounds: what carries most per core first.

    Empty where the suite searches nothing, or nothing of it has been measured.
    """
    by_case: dict[Case, list[Capacity]] = {}
    for search in capacities([suite], rows):
        by_case.setdefault(search.case, []).append(search)
    labels, titled = Labels(suite.whole, suite.native_views), titles(rows)
    measured = [
        StackCapacity(
            name=labels.name(case),
            label=labels.name(case, titled[case.server]),
            rounds=tuple(rounds),
            without_http=_without_http(case, by_case),
        )
        for case, rounds in by_case.items()
    ]
    return sorted(measured, key=lambda stack: -(stack.low_rps_per_cpu or 0))


def _without_http(case: Case, by_case: Mapping[Case, Sequence[Capacity]]) -> tuple[Capacity, ...]:
    """The searches of the same stack whose views wait as long without calling anybody."""
    if case.http_client == NO_HTTP:
        return ()
    for other, searches in by_case.items():
        if other.http_client == NO_HTTP and replace(case, http_client=NO_HTTP) == replace(
            other, users=case.users
        ):
            return tuple(searches)
    return ()


def write_capacities(suites: Iterable[Suite], rows: Sequence[Row], file: Path) -> None:
    """capacity.csv: a line per search; no file where the suites search nothing."""
    searches = capacities(suites, rows)
    if not searches:
        return
    write_csv(file, (column.name for column in COLUMNS), map(_line, searches))


def _line(search: Capacity) -> tuple[Cell, ...]:
    case = search.case
    return (
        *(search.suite, case.slug, search.round, case.server, search.title, case.http_client),
        *(search.cpus, search.cpu_ceiling_rps, search.low_rps, search.high_rps),
        *(search.low_rps_per_cpu, search.high_rps_per_cpu),
        *(search.app_cpu_ms_per_view, search.app_cpu_share),
        *(search.app_pss_mib, search.inflight_mean, search.memory_mib_per_view),
        *("; ".join(search.gave_way), " ".join(map(_window, search.windows)), search.reason),
    )


def _window(window: tuple[float, bool | None]) -> str:
    rate_rps, held = window
    return f"{rate_rps:g}:{'unknown' if held is None else 'held' if held else 'not'}"


def _capacity(name: str, case: Case, rules: Rules, first: Row, rows: Sequence[Row]) -> Capacity:
    """What the search found that begins with this row."""
    ceiling_rps, cpu_ms = first.number("cpu_ceiling_rps"), first.number("app_cpu_ms_per_view")
    windows = [row for row in rows if row.is_window and row["position"] == first["position"]]
    judged = [judge_window(_step(row, rules), row, rules) for row in windows]
    bracket = _bracket(first, judged, rules)
    low = _held(windows, judged, bracket.low)
    broken = (window for window in judged if window.step == bracket.high and window.held is False)
    return Capacity(
        suite=name,
        case=case,
        round=first.count("round") or 0,
        title=first.text("title"),
        cpus=round(ceiling_rps * cpu_ms / 1000) if ceiling_rps and cpu_ms else None,
        cpu_ceiling_rps=ceiling_rps,
        low_rps=None if bracket.low is None else rules.rate_rps(bracket.low),
        high_rps=None if bracket.high is None else rules.rate_rps(bracket.high),
        app_cpu_ms_per_view=mean_of_known([row.number("app_cpu_ms_per_view") for row in low]),
        app_cpu_share=mean_of_known([row.number("app_cpu_share") for row in low]),
        app_pss_mib=mean_of_known([row.number("app_pss_mib") for row in low]),
        inflight_mean=mean_of_known([row.number("inflight_mean") for row in low]),
        caveats=tuple(dict.fromkeys(name for row in low for name in row.caveats)),
        gave_way=tuple(dict.fromkeys(reason for window in broken for reason in window.reasons)),
        windows=tuple((rules.rate_rps(window.step), window.held) for window in judged),
        reason=bracket.reason,
    )


def _step(row: Row, rules: Rules) -> int:
    return round(math.log(row.number("rate_rps") or 1) / math.log(rules.ratio))


def _bracket(first: Row, windows: Sequence[Window], rules: Rules) -> Bracket:
    if not first.is_measured:
        return Bracket(None, None, first.text("outcome"))
    if first["cpu_ceiling_rps"] is None:
        return Bracket(None, None, "CPU per view is not known")
    step = next_step(windows[0].step, windows, rules) if windows else None
    return step if isinstance(step, Bracket) else Bracket(None, None, UNFINISHED)


def _held(rows: Iterable[Row], windows: Iterable[Window], step: int | None) -> list[Row]:
    """The rows of the windows that held at a rate."""
    both = zip(rows, windows, strict=True)
    return [row for row, window in both if window.step == step and window.held]


def _by(value: float | None, divisor: float | None) -> float | None:
    return value / divisor if value is not None and divisor else None
