"""`python -m loadgen.generators.own_load plan.json`: a closed or an open load, in one process."""

import gc
import json
import resource
import sys
from pathlib import Path

import uvloop

from loadgen.generators.closed_load import ClosedLoad
from loadgen.generators.load_run import OwnPlan
from loadgen.generators.open_load import OpenLoad
from loadgen.generators.request_log import RequestLog
from loadgen.generators.window_to_follow import ProtocolOrders

LOG_BUFFER_BYTES = 1 << 20
#: Open files besides the connections.
OTHER_FILES = 64


def make_load(plan_file: Path) -> None:
    """Say that all is imported, then make the load from the instant that the protocol sends."""
    load = OwnPlan(**json.loads(plan_file.read_text()))
    _allow_connections(load.most_connections)
    with RequestLog(Path(load.log), LOG_BUFFER_BYTES) as log:
        _calm_garbage_collector()
        Path(load.ready).touch()
        orders = ProtocolOrders()
        start_ns = orders.start_ns()
        kind = OpenLoad if load.users is None else ClosedLoad
        uvloop.run(kind(load, log, start_ns, orders).run())


def _allow_connections(count: int) -> None:
    """Raise the limit of open files as far as it goes, which must be far enough."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count + OTHER_FILES:
        sys.exit(
            f"the load may need {count} connections, but the load generator may open {most} files: "
            "raise ulimits.nofile of the service loadgen in compose.yaml"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _calm_garbage_collector() -> None:
    """Let no collection walk through all connections in the midst of the load."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


if __name__ == "__main__":
    make_load(Path(sys.argv[1]))
