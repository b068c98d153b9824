"""A case: one combination of all the axes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Literal

from loadgen.lab.servers import View

Workload = Literal["fanout", "single", "serial"]
Upstream = Literal["http", "https", "django"]
LoadKind = Literal["closed", "open"]
Arrivals = Literal["poisson", "constant", "jittered"]

#: A ramp's corner: (seconds since the start, users).
Corner = tuple[float, int]

#: A client that calls nobody: the view waits as long.
NO_HTTP = "no-http"

#: How the slug of a case ends that is asked as the sides of a duet are, at a rate.
_AT_A_RATE = re.compile(r"_jittered-[^_]+rps$")


def plain(number: float) -> str:
    """A number as a person writes it: 300, not 300.0; every digit, since slugs and URLs hold it."""
    return str(number).removesuffix(".0")


def waits_ms(workload: str, delays_ms: Sequence[float]) -> float:
    """What a view with these calls waits at least: of calls at once the longest delay, of calls
    one after the other (`serial`) their sum; milliseconds.
    """
    return sum(delays_ms) if workload == "serial" else max(delays_ms)


def slug_in_a_duet(slug: str) -> str:
    """The slug of the side of a duet in whose place a case was measured, by that case's slug; any
    other stays as it is.
    """
    return _AT_A_RATE.sub("_duet", slug)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured. Suite keys, matchers and CSV columns have the names of its attributes.

    From `settings` to `cpu_ms` they speak of the lab's own views. Of a server's own page
    (servers.Page) they are not known: empty.

    Attributes:
        server: the Compose service.
        settings: the Django settings it runs with.
        view: how the view is written.
        workload: what the view does.
        http_client: library and lifetime of the client inside the view.
        upstream: what the view calls: the API over http or https, or article A's own (django).
        delays_ms: the upstream's delay of each call of one view.
        cpu_ms: CPU time that the view burns besides.
        driver: the program that makes the load.
        load: closed (users) or open (arrivals).
        users: concurrent users; of a ramp: its plateau. None for an open load.
        ramp: corners of a closed load that grows; None for a constant one.
        planned_requests: where the load is counted instead of timed.
        rate_rps: mean rate of an open load; None of a side of a duet, whose load is found when it
            is measured.
        arrivals: how an open load's arrivals are spaced: at random (a Poisson process), evenly, or
            one in each interval at a random instant of it.
    """

    server: str
    settings: str
    view: View | Literal[""]
    workload: Workload | Literal[""]
    http_client: str
    upstream: Upstream | Literal[""]
    delays_ms: tuple[float, ...]
    cpu_ms: float | None
    driver: str
    load: LoadKind
    users: int | None = None
    ramp: tuple[Corner, ...] | None = None
    planned_requests: int | None = None
    rate_rps: float | None = None
    arrivals: Arrivals | None = None

    @property
    def delays(self) -> str:
        """The delays as the columns have them: `300+600+150`."""
        return "+".join(plain(ms) for ms in self.delays_ms)

    @property
    def slug(self) -> str:
        """The key of samples, resume and compare: every known axis, no suite, no order."""
        view = (self.settings, self.view, self.workload, self.http_client, self.upstream)
        parts = [self.server, *filter(None, view)]
        if self.delays_ms:
            parts.append(f"{self.delays}ms")
        if self.cpu_ms:
            parts.append(f"cpu{plain(self.cpu_ms)}ms")
        parts.append(self.driver)
        if self.load == "open":
            rate = self.rate_rps
            parts.append("duet" if rate is None else f"{self.arrivals}-{plain(rate)}rps")
        elif self.ramp:
            parts.append("ramp-" + "-".join(f"{plain(s)}s{users}u" for s, users in self.ramp))
        else:
            parts.append(f"{self.users}u")
        if self.planned_requests:
            parts.append(f"{self.planned_requests}n")
        return "_".join(parts)

    @cached_property
    def in_a_duet(self) -> "Case":
        """The same without its load: a duet finds a rate of its own.

        Users who ask again when they are answered fall into step, and a server that is asked in
        waves serves a view for less CPU. So nobody waits for an answer in a duet.
        """
        return replace(self, load="open", users=None, rate_rps=None, arrivals="jittered")

    @property
    def mean_users(self) -> float | None:
        """Mean number of users over the whole load; of a ramp: the area under it by its length."""
        if not self.ramp:
            return self.users
        area = sum(
            (b_s - a_s) * (a_users + b_users) / 2
            for (a_s, a_users), (b_s, b_users) in zip(self.ramp, self.ramp[1:], strict=False)
        )
        return area / (self.ramp[-1][0] - self.ramp[0][0])

    def cells(self) -> dict[str, object]:
        """The case as cells of a row; a ramp has no column of its own, the slug has it."""
        cells = {field.name: getattr(self, field.name) for field in fields(self)}
        del cells["ramp"]
        return cells | {"case": self.slug, "delays_ms": self.delays}
