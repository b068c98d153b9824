"""A suite file as it is written: its keys, and what each may be."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from loadgen.lab.servers import Server, View
from loadgen.lab.toml_tables import TomlTable
from loadgen.suites.cases import Arrivals, Case, Corner, LoadKind, Upstream, Workload
from loadgen.suites.pairs import Compare
from loadgen.suites.search import Rules
from loadgen.suites.timing import PATIENCE_S, Accounting


def _to_the_microsecond(milliseconds: float) -> float:
    """The app reads no finer time, and no number with an exponent."""
    if milliseconds != round(milliseconds, 3):
        raise ValueError("may have three digits after the point at most")
    return milliseconds


Milliseconds = Annotated[float, Field(ge=0, le=60_000), AfterValidator(_to_the_microsecond)]
#: The app makes no more calls for one view.
MOST_CALLS = 32
#: Each user has a connection, and loadgen's container may open 16384 files (compose.yaml).
MOST_USERS = 16_000
#: A longer run is a typing error.
MOST_ROUNDS = 1_000
MOST_REQUESTS = 1_000_000
#: A week.
MOST_MINUTES = 7 * 24 * 60
Users = Annotated[int, Field(ge=1, le=MOST_USERS)]
Ramp = Annotated[tuple[Corner, ...], Field(min_length=2)]
#: The fastest open load that may be asked for: far more than one process can make.
MOST_RPS = 10_000
#: What a suite knows beforehand of its comparisons' outcome.
Expected = Literal["no difference"]

#: What an article may have published of a case: columns by name.
FIGURES = frozenset({"min_ms", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "rps", "max_rps"})

DEFAULT_DELAYS_MS: dict[Workload, tuple[float, ...]] = {
    "fanout": (300, 600, 150),
    "serial": (300, 600, 150),
    "single": (400,),
}

#: What is known of a server's own page, on the axes of the lab's views: nothing.
OF_A_PAGE: dict[str, Any] = {
    **dict.fromkeys(("settings", "view", "workload", "http_client", "upstream"), ""),
    "delays_ms": (),
    "cpu_ms": None,
}


class Axes(TomlTable):
    """One combination of axis values, as a suite file writes it."""

    server: str
    settings: str = "startproject"
    view: View | None = None
    workload: Workload = "fanout"
    http_client: str = "httpx-per-request"
    upstream: Upstream = "http"
    delays_ms: (
        Annotated[tuple[Milliseconds, ...], Field(min_length=1, max_length=MOST_CALLS)] | None
    ) = None
    cpu_ms: Milliseconds = 0
    driver: Literal["own", "locust", "hey"] = "own"
    load: LoadKind = "closed"
    users: Users | None = None
    ramp: Ramp | None = None
    planned_requests: Annotated[int, Field(ge=1, le=MOST_REQUESTS)] | None = None
    rate_rps: Annotated[float, Field(gt=0, le=MOST_RPS)] | None = None
    arrivals: Arrivals | None = None

    @model_validator(mode="after")
    def fits_together(self) -> "Axes":
        if self.load == "open":
            self._check_open()
        elif self.rate_rps is not None or self.arrivals is not None:
            raise ValueError('rate_rps and arrivals need an open load: add load = "open"')
        elif self.ramp is None and self.users is None:
            raise ValueError(
                "needs users (a number) or a ramp ([[seconds, users], …]), or a rate_rps and "
                'load = "open"'
            )
        if self.ramp is not None:
            self._check_ramp(self.ramp)
        if self.planned_requests is not None and self.driver != "hey":
            raise ValueError("planned_requests goes with driver hey only")
        if self.planned_requests is None and self.driver == "hey":
            raise ValueError("driver hey needs planned_requests")
        if self.driver == "hey" and self.ramp is not None:
            raise ValueError("driver hey has no ramp")
        if self.planned_requests and self.users and self.planned_requests % self.users:
            raise ValueError("planned_requests must be a multiple of users: hey sends no others")
        if self.workload == "single" and self.delays_ms and len(self.delays_ms) != 1:
            raise ValueError("workload single makes one call: delays_ms must hold one number")
        if self.workload == "serial" and self.delays_ms and len(self.delays_ms) < 2:
            raise ValueError(
                "workload serial makes one call after another: delays_ms must hold two numbers "
                "at least"
            )
        return self

    def _check_open(self) -> None:
        if self.rate_rps is None:
            raise ValueError("an open load needs rate_rps, its mean arrivals a second")
        if self.users is not None or self.ramp is not None:
            raise ValueError(
                "an open load has no users and no ramp: its requests come at rate_rps, whether "
                "others are answered or not"
            )
        if self.driver != "own":
            raise ValueError(
                f"driver {self.driver} asks again only after an answer: an open load needs driver "
                "own"
            )

    def _check_ramp(self, ramp: tuple[Corner, ...]) -> None:
        if self.users is not None:
            raise ValueError("users and ramp exclude each other")
        flat = len(ramp) == 3 and ramp[1][1] == ramp[2][1]
        if not flat or ramp[0] != (0, 0) or not 0 < ramp[1][0] < ramp[2][0] or ramp[1][1] < 1:
            raise ValueError("ramp must read [[0, 0], [seconds, users], [end, users]]")
        if ramp[1][1] > MOST_USERS:
            raise ValueError(f"a ramp has at most {MOST_USERS} users")

    def case(self, server: Server) -> Case:
        values = self.model_dump()
        view = self.view or server.default_view
        delays_ms = self.delays_ms or DEFAULT_DELAYS_MS[self.workload]
        users = self.ramp[-1][1] if self.ramp else self.users
        arrivals = self.arrivals or ("poisson" if self.load == "open" else None)
        ours: dict[str, Any] = {"view": view, "delays_ms": delays_ms}
        load = {"users": users, "arrivals": arrivals}
        return Case(**values | (OF_A_PAGE if server.page else ours) | load)


class StepEntry(TomlTable):
    """A step of a waterfall as written.

    Attributes:
        words: what it changes.
        change: axis → its new value, or, where that depends on the present one, a table of present
            values and what becomes of each. So the same steps can be gone in another order.
        builds_on_previous: it makes sense only after the step before it, also in reversed order.
    """

    words: str
    change: Annotated[dict[str, Any], Field(min_length=1)]
    builds_on_previous: bool = False


class WaterfallEntry(TomlTable):
    """A `[[waterfall]]` entry as written, with what its start is, in words and in axes."""

    title: str
    words: str
    start: dict[str, Any]
    steps: Annotated[tuple[StepEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def begins_with_a_step_of_its_own(self) -> "WaterfallEntry":
        if self.steps[0].builds_on_previous:
            raise ValueError("the first step has no previous one to build on")
        return self


class SuiteFile(TomlTable):
    """A suite file as written."""

    question: str
    rounds: Annotated[int, Field(ge=1, le=MOST_ROUNDS)] = 1
    sort: str | None = None
    include: tuple[str, ...] = ()
    warm_up_s: Annotated[float, Field(ge=0)] | None = None
    window_s: Annotated[float, Field(gt=0)] | None = None
    drain_s: Annotated[float, Field(ge=0)] = PATIENCE_S
    minutes: Annotated[float, Field(gt=0, le=MOST_MINUTES)] | None = None
    fewer_cases: bool = False
    accounting: Accounting = "due"
    defaults: dict[str, Any] = Field(default_factory=dict)
    self_test: bool = False
    expect: Expected | None = None
    search: Rules | None = None
    cases: tuple[dict[str, Any], ...] = ()
    compare: tuple[Compare, ...] = ()
    published: tuple[dict[str, Any], ...] = ()
    waterfall: tuple[WaterfallEntry, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def knows_the_key_of_earlier_runs(cls, written: Any) -> Any:
        """Runs before 27 November 2026 have a copy of their suites with `at_most_s`."""
        if not isinstance(written, dict) or not isinstance(written.get("at_most_s"), int | float):
            return written
        rest = {key: value for key, value in written.items() if key != "at_most_s"}
        return rest | {"minutes": written["at_most_s"] / 60}
