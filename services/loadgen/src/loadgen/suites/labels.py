"""How cases, pairs and columns are called in tables and charts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from loadgen.records.columns import Row
from loadgen.suites.cases import Case, Corner, plain

#: How a column is written: its heading and its digits after the point.
WRITTEN: dict[str, tuple[str, int]] = {
    "min_ms": ("Min (ms)", 0),
    "avg_ms": ("Avg (ms)", 0),
    "p50_ms": ("p50 (ms)", 0),
    "p95_ms": ("p95 (ms)", 0),
    "p99_ms": ("p99 (ms)", 0),
    "max_ms": ("Max (ms)", 0),
    "rps": ("RPS", 1),
    "max_rps": ("Max RPS", 1),
    "app_cpu_ms_per_view": ("CPU/view (ms)", 1),
    "app_cpu_reference_ms_per_view": ("Reference CPU/view (ms)", 1),
    "app_cpu_share": ("CPU share", 2),
    "app_pss_mib": ("PSS (MiB)", 0),
    "app_peak_mib": ("Peak (MiB)", 0),
    "app_threads": ("Threads", 0),
}


type _Word = Callable[[Case], str]

#: Each axis in words, of what the view is, then of what is asked of it; empty where it has none.
WORDS: Mapping[str, _Word] = {
    "http_client": lambda case: case.http_client,
    "settings": lambda case: case.settings,
    "view": lambda case: f"{case.view} view" if case.view else "",
    "workload": lambda case: case.workload,
    "upstream": lambda case: case.upstream,
    "delays_ms": lambda case: f"{case.delays} ms" if case.delays_ms else "",
    "cpu_ms": lambda case: "" if case.cpu_ms is None else f"{plain(case.cpu_ms)} ms of CPU",
    "driver": lambda case: case.driver,
    "ramp": lambda case: f"ramp {_corners(case.ramp)}" if case.ramp else "",
    "planned_requests": lambda case: _counted(case),
    "users": lambda case: f"{case.users} users" if case.users and not _counted(case) else "",
    "rate_rps": lambda case: f"{plain(case.rate_rps)}/s" if case.rate_rps else "",
    "arrivals": lambda case: f"{case.arrivals} arrivals" if case.arrivals else "",
}
#: Of more servers than this nobody would look up what their short names leave out.
MOST_SPARED = 3
#: Having none of the others is no difference that has to be told: it shows by itself.
TELLING_IF_NONE = frozenset({"ramp", "planned_requests", "users", "rate_rps"})


class Labels:
    """What the cases of one table are called: their server, and all else that differs among them.

    What is the same in the whole table is never said. Nor is the view where each case has the one
    that is native to its server: the server tells it.

    Args:
        cases: of the table.
        native_views: server → the view that it has where nobody says; of a server that is missing
            here a single view is taken for native.
    """

    def __init__(self, cases: Iterable[Case], native_views: Mapping[str, str]) -> None:
        listed = list(cases)
        self._words = {axis: word for axis, word in WORDS.items() if _differs(axis, word, listed)}
        if _are_native(listed, native_views):
            self._words.pop("view", None)
        if len({case.ramp for case in listed if case.ramp}) == 1 and "ramp" in self._words:
            self._words["ramp"] = lambda case: "ramp" if case.ramp else ""
        self._cases = list(dict.fromkeys(listed))

    def apart(self, case: Case) -> list[str]:
        """What besides its server tells a case apart, in words."""
        return list(filter(None, (word(case) for word in self._words.values())))

    def name(self, case: Case, server: str | None = None) -> str:
        """`uvicorn, aiohttp-shared`.

        Args:
            case: one of the table.
            server: what its server is called; None: as the Compose service.
        """
        return ", ".join([server or case.server, *self.apart(case)])

    def short(self, case: Case) -> str:
        """`gunicorn-4x10, 150/30`: its server, and what differs among that server's cases too."""
        words = (word(case) for axis, word in self._words.items() if axis in self._needed)
        return ", ".join([case.server, *filter(None, words)])

    @cached_property
    def spared(self) -> dict[str, str]:
        """By server, the words that `short` leaves out: they go without saying by its name."""
        spared = [word for axis, word in self._words.items() if axis not in self._needed]
        words = {
            case.server: ", ".join(filter(None, (word(case) for word in spared)))
            for case in self._cases
        }
        return {server: of_it for server, of_it in words.items() if of_it}

    @cached_property
    def _needed(self) -> set[str]:
        """The axes of which some server has several values."""
        servers = {case.server for case in self._cases}
        return {
            axis
            for axis, word in self._words.items()
            if len({(case.server, word(case)) for case in self._cases}) > len(servers)
        }

    def called(self, case: Case) -> str:
        """The same within a sentence: `uvicorn (aiohttp-shared)`."""
        apart = ", ".join(self.apart(case))
        return f"{case.server} ({apart})" if apart else case.server

    def pair(self, a: Case, b: Case) -> str:
        """`uvicorn → uvicorn-twin, no-http`: what differs between two, then what they share."""
        of_a, of_b = ([case.server, *self.apart(case)] for case in (a, b))
        shared = [word for word in of_a if word in of_b]
        sides = [" ".join(word for word in words if word not in shared) for words in (of_a, of_b)]
        where = f"{a.server}: " if a.server == b.server else ""
        return ", ".join(
            [where + " → ".join(sides), *(word for word in shared if word != a.server)]
        )


def titles(rows: Iterable[Row]) -> dict[str, str]:
    """Server → its title; with its name where another server has the same title."""
    title_of = {row.text("server"): row.text("title") for row in rows}
    count = Counter(title_of.values())
    return {
        server: title if count[title] == 1 else f"{title} ({server})"
        for server, title in title_of.items()
    }


def _differs(axis: str, word: _Word, cases: Iterable[Case]) -> bool:
    words = {word(case) for case in cases}
    return len(words if axis in TELLING_IF_NONE else words - {""}) > 1


def _are_native(cases: Iterable[Case], native_views: Mapping[str, str]) -> bool:
    """Whether no case has another view than its server would have by itself, as far as is known."""
    known = dict(native_views)
    return all(known.setdefault(case.server, case.view) == case.view for case in cases if case.view)


def _corners(ramp: Iterable[Corner]) -> str:
    """As the command line takes a ramp: `0:0,10:100,30:100`."""
    return ",".join(f"{plain(second)}:{users}" for second, users in ramp)


def _counted(case: Case) -> str:
    """Requests and users of a counted load: `150/30`."""
    return f"{case.planned_requests}/{case.users}" if case.planned_requests else ""


def metric_name(metric: str) -> str:
    """A metric's heading without its unit, for the columns of ratios."""
    return WRITTEN[metric][0].partition(" (")[0]
