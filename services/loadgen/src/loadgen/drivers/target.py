"""Where a case's requests go, and what a right answer looks like."""

from dataclasses import dataclass
from urllib.parse import urlencode

from loadgen.lab import network
from loadgen.lab.servers import Server
from loadgen.suites.cases import NO_HTTP, Case, plain
from loadgen.suites.lengths import service_time_s

#: Text that only the right answer contains.
EXPECTED_TEXT = {
    "fanout": 'id="country"',
    "serial": 'id="country"',
    "single": "delectus aut autem",
}


@dataclass(frozen=True)
class Target:
    """What a driver is pointed at.

    Attributes:
        origin: scheme, address and port. The address is resolved once: Docker's resolver would
            otherwise answer for every connection, on the measured CPUs.
        path: path and query.
        expected_text: what a right answer contains; empty: its status alone says that it is right.
        service_time_s: the time a view waits at least.
        launcher: origin of the launcher beside the server; None: there is none.
        ca: file of the CA's certificate that an https origin is trusted by (own driver only).
    """

    origin: str
    path: str
    expected_text: str
    service_time_s: float
    launcher: str | None
    ca: str | None = None

    @property
    def url(self) -> str:
        """The whole address of the view."""
        return self.origin + self.path


def calls_per_view(case: Case) -> int:
    """Upstream calls that one view of a case makes."""
    return 0 if case.http_client == NO_HTTP else len(case.delays_ms)


def path_of(case: Case) -> str:
    """Path and query of a case's view."""
    query = {"delays_ms": ",".join(map(plain, case.delays_ms)), "upstream": case.upstream}
    if case.cpu_ms:
        query["cpu_ms"] = plain(case.cpu_ms)
    return f"/{case.view}/{case.workload}/{case.http_client}/?{urlencode(query, safe=',')}"


def target_of(case: Case, server: Server) -> Target:
    """The target of a case on a server that is up.

    Raises:
        ConfigurationError: the server is not up.
    """
    page = server.page
    if page:
        return Target(
            origin=f"http://{network.address_of(server.name, page.host)}:{page.port}",
            path=page.path,
            expected_text=page.expected_text,
            service_time_s=service_time_s(case, server),
            launcher=_launcher_at(network.address_of(server.name)) if page.launcher else None,
        )
    address = network.address_of(server.name)
    return Target(
        origin=f"http://{address}:{network.APP_PORT}",
        path=path_of(case),
        expected_text=EXPECTED_TEXT[case.workload],
        service_time_s=service_time_s(case, server),
        launcher=_launcher_at(address),
    )


def _launcher_at(address: str) -> str:
    return f"http://{address}:{network.LAUNCHER_PORT}"
