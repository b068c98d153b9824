"""What a stack would do under a load that was not measured: pure functions of measured points.

The law is mva.flow. A stack's points say, for a number of views at the process (its queue), for how
long a view holds the process and how much CPU time of it that is. Both are interpolated over the
logarithm of the queue, since they depend on the load: an event loop that finds three answers ready
pays for one wake-up, threads wait for the interpreter's lock. So a prediction is a fixed point: the
queue that the law makes of the time which was measured at that queue. Outside the queues that were
measured there is none, and the prediction is refused.

Slots: users have no think time, so of more users than slots exactly as many as there are slots are
in service all the time, and the others wait at the door. The law is applied to those in service.

N CPUs are N processes like the one that was measured, and the users split evenly among them: that
is assumed, not measured.

documents/templates/predict.js is the same in JavaScript: a test holds both to the same 200 points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadgen.theory.laws import Bound, bound
from loadgen.theory.mva import HALVINGS, flow


@dataclass(frozen=True)
class Point:
    """A load that was measured, of one process.

    Attributes:
        queue: mean number of views at the process, by the law.
        held_s: for how long a view holds the process.
        cpu_s: CPU time of a view.
    """

    queue: float
    held_s: float
    cpu_s: float


@dataclass(frozen=True)
class Memory:
    """Memory of one process: base + per view in flight, between the numbers that were measured."""

    base_mib: float
    per_view_mib: float
    fewest: int
    most: int

    def mib(self, in_flight: int) -> float | None:
        """With so many views in flight; None outside what was measured."""
        if not self.fewest <= in_flight <= self.most:
            return None
        return self.base_mib + self.per_view_mib * in_flight


@dataclass(frozen=True)
class Stack:
    """A server with a client, as it was measured on one CPU.

    Attributes:
        server, http_client: how it is called.
        title: the server's name in tables.
        axes: what else tells it apart from other stacks of the run, in words; may be empty.
        points: by their queue, which differs between them; one at least.
        slots: requests that it can hold in flight; None: unbounded.
        pool: connections of its client by the connections that a view of one second would take:
            C / (Σ delays / S). The pool's ceiling is this by the service time. None: no limit.
        memory: None where it is not known.
    """

    server: str
    http_client: str
    title: str
    axes: str
    points: tuple[Point, ...]
    slots: int | None
    pool: float | None
    memory: Memory | None

    def in_service(self, users: int) -> int:
        """How many of the users of one process are served rather than queueing at the door."""
        return users if self.slots is None else min(users, self.slots)


@dataclass(frozen=True)
class Prediction:
    """What is to be expected, in the mean.

    Attributes:
        rps: views a second, of all processes.
        latency_ms: mean; users / rps (Little).
        cpu_share: of all CPUs.
        cpu_ms_per_view: CPU time of a view.
        memory_mib: of all processes; None where so many views in flight were not measured.
        bound: what is used up.
    """

    rps: float
    latency_ms: float
    cpu_share: float
    cpu_ms_per_view: float
    memory_mib: float | None
    bound: Bound


@dataclass(frozen=True)
class Refusal:
    """Why there is none: the load is outside what was measured.

    Attributes:
        fewest, most: users, at the same service time and CPUs, for whom there is a prediction;
            `most` None: any more (the slots are full); both None: for no number of users.
    """

    fewest: int | None
    most: int | None


def predict_stack(stack: Stack, users: int, service_s: float, cpus: int) -> Prediction | Refusal:
    """What a stack makes of a closed load.

    Args:
        users: all of them, 1 or more.
        service_s: the longest upstream delay of a view, positive.
        cpus: CPUs, and so processes, 1 or more.
    """
    fewer, with_one_more = divmod(users, cpus)
    processes = [(fewer + 1, with_one_more), (fewer, cpus - with_one_more)]
    rps = busy = used = 0.0
    memory: float | None = 0.0
    for users_each, count in processes:
        in_service = stack.in_service(users_each)
        if not count:
            continue
        each_mib = stack.memory.mib(in_service) if stack.memory else None
        memory = None if memory is None or each_mib is None else memory + count * each_mib
        if not in_service:
            continue
        point = _fixed_point(stack.points, in_service, service_s)
        if point is None:
            return _refusal(stack, service_s, cpus)
        each_rps = flow(in_service, service_s, point.held_s).rps
        rps, used = rps + count * each_rps, used + count * each_rps * point.cpu_s
    busy = used / cpus
    pool = stack.pool and stack.pool * cpus / service_s
    if pool and rps > pool:  # the pool lets no more through; the rest waits for a connection
        busy, rps = busy * pool / rps, pool
    shares = {
        "users": rps * service_s / users,
        "slots": stack.slots and rps * service_s / (stack.slots * cpus),
        "pool": pool and rps / pool,
        "cpu": min(busy, 1.0),
    }
    held = bound(shares)
    assert held  # the users' share is always known
    return Prediction(rps, users / rps * 1000, busy, busy * cpus / rps * 1000, memory, held)


def at_queue(points: Sequence[Point], queue: float) -> Point:
    """What is known at a queue between those of the points, linear in its logarithm.

    Args:
        points: by their queue.
        queue: within theirs; what is outside counts as the nearest.
    """
    if queue <= points[0].queue:
        return points[0]
    for below, above in pairwise(points):
        if queue <= above.queue:
            share = math.log(queue / below.queue) / math.log(above.queue / below.queue)
            return Point(
                queue,
                below.held_s + share * (above.held_s - below.held_s),
                below.cpu_s + share * (above.cpu_s - below.cpu_s),
            )
    return points[-1]


#: A queue this near to the lightest or heaviest that was measured is that one.
TOLERANCE = 1e-9


def _fixed_point(points: Sequence[Point], users: int, service_s: float) -> Point | None:
    """Where the law's queue is the one that its time was measured at; None: nowhere between."""
    low, high = points[0].queue, points[-1].queue
    if _queue(points[0], users, service_s) < low * (1 - TOLERANCE):
        return None
    if _queue(points[-1], users, service_s) > high * (1 + TOLERANCE):
        return None
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        if _queue(at_queue(points, middle), users, service_s) > middle:
            low = middle
        else:
            high = middle
    return at_queue(points, math.sqrt(low * high))


def _queue(point: Point, users: int, service_s: float) -> float:
    return flow(users, service_s, point.held_s).queue


def _refusal(stack: Stack, service_s: float, cpus: int) -> Refusal:
    """The users that the lightest and the heaviest point allow, for each process alike."""
    lightest, heaviest = stack.points[0], stack.points[-1]
    fewest = _first(lightest, lightest.queue * (1 - TOLERANCE), service_s)
    too_many = _first(heaviest, heaviest.queue * (1 + TOLERANCE), service_s)
    if stack.slots is not None and fewest > stack.slots:
        return Refusal(None, None)
    if fewest >= too_many:
        return Refusal(None, None)
    if stack.slots is not None and too_many > stack.slots:
        return Refusal(fewest * cpus, None)
    return Refusal(fewest * cpus, (too_many - 1) * cpus)


def _first(point: Point, queue: float, service_s: float) -> int:
    """The fewest users whose queue reaches this one where a view holds the process as here."""
    users, their_queue = 0, 0.0
    while their_queue < queue:
        users += 1
        response_s = point.held_s * (1 + their_queue)
        their_queue = users / (service_s + response_s) * response_s
    return users
