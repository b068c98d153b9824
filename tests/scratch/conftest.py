"""A lab to change: with servers that misbehave, suites for them, and what a reader adds."""

import pytest

from scratch.scratch_lab import ScratchLab, make_scratch_lab

SUITE = """
question = "Does a run do what it should where something goes wrong?"
warm_up_s = 1
window_s = 3
drain_s = 2

[defaults]
delays_ms = [50]
workload = "single"
http_client = "no-http"
users = 2

[[cases]]
server = {servers}
"""

# A server that ends some time after its first request, which is the one before the load.
ENDS = """
import os, threading, uvicorn
from consumer.asgi import application
ends = []
async def app(scope, receive, send):
    if scope["type"] == "http" and not ends:
        ends.append(threading.Timer(2.5, lambda: {end}))
        ends[0].start()
    await application(scope, receive, send)
print("some last words", flush=True)
uvicorn.run(app, host="0.0.0.0", port=8000, log_level="warning")
"""

# Servers that are uvicorn but for what they do to some requests. The first request is the one that
# the protocol looks at before the load, which has a connection of its own.
ODD = """
import asyncio, socket, struct, uvicorn
from consumer.asgi import application
connections, requests = {{}}, 0
async def app(scope, receive, send):
    global requests
    if scope["type"] == "http":
        connection = connections.setdefault(scope["client"], len(connections))
        number, requests = requests, requests + 1
        {odd}
    await application(scope, receive, send)
uvicorn.run(app, host="0.0.0.0", port=8000, log_level="warning")
"""
FOR_EVER = "await asyncio.Event().wait()"
# A connection that lingers for no time is reset, not closed.
RESET = """
            transport = receive.__self__.transport
            own = transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return transport.abort()
"""


def odd(title: str, what: str) -> dict[str, object]:
    """A server that does something to the request `number` (from 0) of the `connection`."""
    return a_server(title, command=["python", "-c", ODD.format(odd=what)])


def a_server(title: str, **different: object) -> dict[str, object]:
    """A Compose service: uvicorn with something else."""
    base = {"file": "compose.yaml", "service": "uvicorn"}
    return {"extends": base, "labels": {"lab.title": title}, **different}


OWN_SERVERS = {
    "broken": a_server(
        "Its command is wrong",
        command=["uvicorn", "consumer.asgi:no_such_thing", "--port", "8000"],
    ),
    "absent": a_server("Nobody starts it"),
    "mortal": a_server(
        "It kills itself", command=["python", "-c", ENDS.format(end="os.kill(os.getpid(), 9)")]
    ),
    "greedy": a_server(
        "It takes more memory than it may",
        command=["python", "-c", ENDS.format(end="b'x' * 2_000_000_000")],
        mem_limit="300m",
    ),
    # Of 30 users 10: the connections 3, 6, … 30.
    "starving": odd(
        "It never answers a third of its users",
        f"if connection and connection % 3 == 0: {FOR_EVER}",
    ),
    "resetting": odd("It resets 1 % of its connections", f"if number % 100 == 99:{RESET}"),
    "patient": a_server("It waits 20 s for its upstream"),
    "mute": odd("It answers nobody", f"if number: {FOR_EVER}"),
}

# 30 users of 1 s ask for 30 views a second at most: far from saturation, also where others use the
# machine. The time limit cuts the warm-up of servers with which it would never end.
OVERLOAD = """
question = "Do rows say the truth where users are not answered?"
rounds = 1
minutes = 1.7
window_s = 6
drain_s = 2
sort = "rps"

[defaults]
workload = "single"
delays_ms = [1000]
http_client = "no-http"
users = 30

[[cases]]
server = ["uvicorn", "starving", "resetting", "mute"]

[[compare]]
a = {server = "uvicorn"}
b = {server = "mute"}
metrics = ["rps", "p95_ms"]
"""


# Long delays: everybody is answered once in the warm-up, and once in a window just over that.
PATIENT = """
question = "Can a delay of 20 s be measured?"
warm_up_s = 20.5
window_s = 21

[defaults]
workload = "single"
delays_ms = [20000]
http_client = "aiohttp-shared"
users = 100

[[cases]]
server = "patient"
"""


@pytest.fixture(scope="session")
def scratch_lab() -> ScratchLab:
    """The lab's own servers and suites, and those with which something goes wrong."""
    # Another container comes up and looks while its first trial runs.
    lasting = SUITE.replace("window_s = 3", "window_s = 6")
    calling = lasting.replace("no-http", "requests-shared")
    suites = {
        "broken": SUITE.format(servers='["broken", "uvicorn"]'),
        "absent": SUITE.format(servers='["absent"]'),
        "steady": SUITE.format(servers='["uvicorn", "uwsgi-2-threads"]'),
        "deaths": SUITE.format(servers='["mortal", "greedy", "uvicorn"]'),
        "lasting": lasting.format(servers='["uvicorn", "uwsgi-2-threads"]'),
        "calling": calling.format(servers='["gunicorn-100-threads", "uwsgi-2-threads"]'),
        "overload": OVERLOAD,
        "patient": PATIENT,
    }
    return make_scratch_lab(OWN_SERVERS, suites)
