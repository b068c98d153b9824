"""How long a trial lasts: warm-up, window, and what it takes besides.

Nothing has been measured yet, so all of it comes of the case, its server and the suite's timing.
"""

import math

from loadgen.lab.servers import Server
from loadgen.suites.cases import Case, waits_ms
from loadgen.suites.timing import Timing
from loadgen.theory.laws import slots_ceiling_rps, users_ceiling_rps

#: What a trial takes besides warm-up, window and drain: most of it the server's start.
OVERHEAD_S = 2.4
#: A window is at least so long,
LEAST_WINDOW_S = 8.0
#: and holds so many response times as they are seen, where the load has settled.
RESPONSE_TIMES = 3
#: A service time from which on a window holds fewer of them.
LONG_SERVICE_S = 10.0


def service_time_s(case: Case, server: Server) -> float:
    """What a view waits at least (waits_ms); of a server's own page what its label says."""
    return (
        server.page.service_time_s
        if server.page
        else waits_ms(case.workload, case.delays_ms) / 1000
    )


def response_time_s(case: Case, server: Server) -> float:
    """R at the slots ceiling: max(service time, users / slots ceiling), seconds."""
    service_s = service_time_s(case, server)
    slots = slots_ceiling_rps(server.slots, service_s)
    return service_s if not slots or not case.users else max(service_s, case.users / slots)


def counted_window_s(case: Case, server: Server) -> float:
    """The least time that a counted load needs, seconds."""
    return (case.planned_requests or 0) / most_asked_rps(case, server)


def most_asked_rps(case: Case, server: Server) -> float:
    """The most views a second that its load can ask for: arrivals, or users as slots let them."""
    if case.load == "open":
        return case.rate_rps or math.inf
    service_s = service_time_s(case, server)
    of_users = users_ceiling_rps(case.mean_users, service_s)
    of_slots = slots_ceiling_rps(server.slots, service_s)
    return min(filter(None, (of_users, of_slots)), default=math.inf)


def planned_window_s(case: Case, server: Server, timing: Timing) -> float:
    """How long its window is as planned, seconds; of a counted load at least."""
    _, window_s = lengths_s(case, server, timing)
    return counted_window_s(case, server) if window_s is None else window_s


def most_requests(case: Case, server: Server, timing: Timing) -> float:
    """The most requests that its window can hold as planned."""
    if case.planned_requests:
        return case.planned_requests
    return planned_window_s(case, server, timing) * most_asked_rps(case, server)


def expected_s(case: Case, server: Server, timing: Timing) -> float:
    """About how long a trial of the case takes, seconds."""
    warm_up_s, _ = lengths_s(case, server, timing)
    window_s = planned_window_s(case, server, timing)
    drain_s = min(service_time_s(case, server) + timing.drain_s, response_time_s(case, server))
    return OVERHEAD_S + warm_up_s + window_s + drain_s


def lengths_s(case: Case, server: Server, timing: Timing) -> tuple[float, float | None]:
    """Warm-up and window of a case as planned, seconds.

    A suite's own lengths go first. Else: a warm-up of three response times, the first in which
    every user is answered once, and two that are as good as equal. A window ≥ 8 s, ≥ 10 service
    times (3 of those of 10 s and more) and ≥ 3 response times. A time limit leaves a share of both,
    at least R of the one and a service time of the other. A ramp is its window; a counted load has
    none.
    """
    if case.planned_requests:
        return 0.0, None
    if case.ramp:
        return 0.0, case.ramp[-1][0]
    response_s, service_s = response_time_s(case, server), service_time_s(case, server)
    warm_up_s = timing.warm_up_s
    if warm_up_s is None:
        settled_s = response_s + 2 * max(response_s, LEAST_STRETCH_S)
        warm_up_s = min(settled_s, bound_s(response_s, service_s))
    window_s = timing.window_s
    if window_s is None:
        window_s = max(LEAST_WINDOW_S, service_times(service_s) * service_s)
    if timing.warm_up_s is None:
        window_s = max(window_s, RESPONSE_TIMES * response_s)
    if timing.share < 1:
        return max(timing.share * warm_up_s, response_s), max(timing.share * window_s, service_s)
    return warm_up_s, window_s


def service_times(service_s: float) -> int:
    """How many service times a window holds at least: long ones wait for their users anyway."""
    return 10 if service_s < LONG_SERVICE_S else 3


#: A stretch is at least so long.
LEAST_STRETCH_S = 2.0
#: A load has settled or never will after so long, or after so many response times;
ENOUGH_S = 20.0
ENOUGH_RESPONSES = 5
#: and at the very most after this, or after so many service times.
MOST_S = 60.0
MOST_SERVICES = 5


def bound_s(response_time_s: float | None, service_time_s: float) -> float:
    """How long a load may take to become steady, seconds.

    Args:
        response_time_s: as it is seen; None: nobody has been answered.
        service_time_s: the least that it can be.
    """
    responses_s = math.inf if response_time_s is None else ENOUGH_RESPONSES * response_time_s
    return min(max(ENOUGH_S, responses_s), max(MOST_S, MOST_SERVICES * service_time_s))
