"""Starts the API: `python -m upstream`; `--help` lists what can be set."""

import argparse
import asyncio
import gc
import resource
import signal
import ssl
import sys
from pathlib import Path

import uvloop

from upstream.certificates import make_certificates
from upstream.clock import Clock
from upstream.countries import country_answers
from upstream.loop_lag import LoopLag
from upstream.recorded import RecordedAnswers
from upstream.routes import Routes
from upstream.server import Connection
from upstream.statistics import Statistics

BACKLOG = 4096


def main() -> None:
    """Serve until SIGTERM or SIGINT; exit 1 with one sentence where that cannot begin."""
    options = _options()
    _allow_all_files()
    try:
        uvloop.run(_serve(options))
    except OSError as error:
        sys.exit(
            f"upstream: cannot start: {error}. The ports {options.http_port} and "
            f"{options.https_port} must be free, and this user must be able to write "
            f"{options.ca_file}."
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="upstream", description="The slow upstream API.")
    add = parser.add_argument
    add("--host", default="0.0.0.0", help="address to listen on (default: %(default)s)")
    add("--http-port", type=int, default=9000, help="0: any free port (default: %(default)s)")
    add("--https-port", type=int, default=9443, help="0: any free port (default: %(default)s)")
    add(
        "--ca-file",
        type=Path,
        default=Path("/ca/lab-ca.pem"),
        help="where to write the certificate of the lab's CA (default: %(default)s)",
    )
    add(
        "--my-api",
        type=Path,
        default=Path("/srv/my-api"),
        help="folder of recorded answers (default: %(default)s)",
    )
    return parser.parse_args()


def _allow_all_files() -> None:
    """Each client holds a file descriptor: allow as many as the system lets us have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    clock = Clock(loop)
    statistics = Statistics()
    routes = Routes(country_answers(), RecordedAnswers(options.my_api), statistics)

    async def listen(port: int, tls: ssl.SSLContext | None) -> int:
        server = await loop.create_server(
            lambda: Connection(clock, routes, statistics),
            options.host,
            port,
            backlog=BACKLOG,
            ssl=tls,
        )
        return int(server.sockets[0].getsockname()[1])

    # The CA's certificate is in its place before the API can be reached.
    certified = make_certificates(options.ca_file)
    http_port = await listen(options.http_port, tls=None)
    https_port = await listen(options.https_port, tls=certified)
    LoopLag(clock, statistics)
    _calm_garbage_collector()
    print(
        f"upstream: http on port {http_port}, https on port {https_port}, CA in {options.ca_file}",
        flush=True,
    )
    await stop.wait()


def _calm_garbage_collector() -> None:
    """Keep the cyclic collector from making answers late.

    Modules, countries and certificates live as long as the process: frozen, they are never looked
    at again. A connection lets go of its cycles itself, so what is left to collect is little, and
    a collection that walks through all calls in flight may be rare.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


if __name__ == "__main__":
    main()
