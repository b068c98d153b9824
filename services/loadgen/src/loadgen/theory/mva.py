"""A closed queueing network with one queue, solved exactly: pure functions, seconds and views.

Users without think time send views to a process. Each view waits for the upstream, which delays all
of them alike and lets none queue (a delay station), and holds the process for some time, one view
after the other (a queueing station). For such a network mean value analysis is exact: M. Reiser &
S. S. Lavenberg, "Mean-Value Analysis of Closed Multichain Queuing Networks", Journal of the ACM
27(2), 1980. It is the machine repairman of the textbooks, M/M/1//N. The laws give means, and no
percentiles.
"""

from dataclasses import dataclass

#: Halvings of an interval: it ends 2⁻⁶⁰ of its width wide, which is what a float can tell.
HALVINGS = 60


@dataclass(frozen=True)
class Flow:
    """What a number of users make of a process.

    Attributes:
        rps: views a second.
        queue: mean number of views that hold the process or wait for it.
    """

    rps: float
    queue: float


def flow(users: int, service_s: float, held_s: float) -> Flow:
    """Throughput and queue of one process.

    For n = 1, 2, … N users: a view that arrives finds the queue of n − 1 users (the arrival
    theorem), so it takes R = H·(1 + Q(n − 1)); then X = n / (S + R) and Q(n) = X·R (Little).

    Args:
        users: N, requests in flight; none make no views.
        service_s: S, what each view waits at least.
        held_s: H, for how long each holds the process; positive.
    """
    rps = queue = 0.0
    for n in range(1, users + 1):
        response_s = held_s * (1 + queue)
        rps = n / (service_s + response_s)
        queue = rps * response_s
    return Flow(rps, queue)


def held_s_of(users: int, service_s: float, rps: float) -> float | None:
    """For how long a view holds the process where so many users make this rate; `flow` inverted.

    None where it is no time at all: the rate is what the users ask for, or more.
    """
    if users < 1 or rps <= 0 or rps * service_s >= users:
        return None
    low, high = 0.0, 1 / rps  # utilisation law: X·H ≤ 1
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if flow(users, service_s, middle).rps > rps:
            low = middle
        else:
            high = middle
    return (low + high) / 2
