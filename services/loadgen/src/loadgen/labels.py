"""How columns and cases are written in tables."""

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from loadgen.cases import Case, plain

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
    "app_cpu_share": ("CPU share", 2),
    "app_pss_mib": ("PSS (MiB)", 0),
    "app_peak_mib": ("Peak (MiB)", 0),
    "app_threads": ("Threads", 0),
}


def told_apart(case: Case, cases: Iterable[Case]) -> Iterator[str]:
    """What tells a case apart from the others of its server, in words.

    Its users also where most of all cases have others: fewer users make a row of another kind.
    """
    if case.planned_requests:
        yield f"{case.planned_requests}/{case.users}"
    words = {
        "http_client": case.http_client,
        "settings": case.settings,
        "view": f"{case.view} view",
        "workload": case.workload,
        "upstream": case.upstream,
        "delays_ms": f"{case.delays} ms",
        "cpu_ms": f"{plain(case.cpu_ms or 0)} ms of CPU",
        "driver": case.driver,
        "ramp": "ramp" if case.ramp else "no ramp",
        "users": f"{case.users} users" if case.users else "",
        "rate_rps": f"{plain(case.rate_rps)}/s" if case.rate_rps else "",
        "arrivals": f"{case.arrivals} arrivals" if case.arrivals else "",
    }
    key = operator.attrgetter("server", "planned_requests")
    listed = list(cases)
    siblings = [other for other in listed if key(other) == key(case)]
    for axis, word in words.items():
        varies = len({getattr(other, axis) for other in siblings}) > 1
        varies |= axis == "users" and case.users != _users_of_most(listed, case.users)
        if varies and word and not (axis == "users" and case.planned_requests):
            yield word


def _users_of_most(cases: Sequence[Case], otherwise: int | None) -> int | None:
    """The users that over half of the cases have."""
    users, count = Counter(case.users for case in cases).most_common(1)[0]
    return users if 2 * count > len(cases) else otherwise


def case_label(case: Case, cases: Iterable[Case]) -> str:
    """`uvicorn, aiohttp-shared`: the server, and what else tells a case apart."""
    return ", ".join([case.server, *told_apart(case, cases)])


def pair_label(a: Case, b: Case, cases: Iterable[Case]) -> str:
    """`uvicorn → uvicorn-twin, no-http`: what differs between two cases, then what they share."""
    listed = list(cases)
    of_a = [a.server, *told_apart(a, listed)]
    of_b = [b.server, *told_apart(b, listed)]
    shared = [word for word in of_a if word in of_b]
    sides = [" ".join(word for word in words if word not in shared) for words in (of_a, of_b)]
    where = f"{a.server}: " if a.server == b.server else ""
    return ", ".join([where + " → ".join(sides), *(word for word in shared if word != a.server)])


def metric_name(metric: str) -> str:
    """A metric's heading without its unit, for the columns of ratios."""
    return WRITTEN[metric][0].partition(" (")[0]
