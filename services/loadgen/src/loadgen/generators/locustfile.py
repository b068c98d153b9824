"""Runs inside Locust: one kind of user, one view, and a log line for every request.

The log has exact instants of the monotonic clock, which all containers of a host share. A request
that Locust gives up on at its end is logged too, without an answer. Where the plan has no end, the
load stays on until the requests of the window that the protocol names have ended.
"""

import itertools
import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]
import gevent.socket  # type: ignore[import-untyped]
from geventhttpclient import client
from locust import FastHttpUser, events, task
from locust.env import Environment

from loadgen.generators.request_log import NO_ANSWER, UNANSWERED, LoggedRequest, RequestLog
from loadgen.generators.window_to_follow import ProtocolOrders

# Locust's HTTP client sends a GET again, up to eleven times and unseen by Locust, where the server
# closes the connection instead of answering: the server would get more requests than anybody
# counts, and a failure would look like a slow answer. None of its methods may be sent again.
client.IDEMPOTENT_METHODS = frozenset()

#: How often the end of a window's last requests is looked for.
LOOK_EVERY_S = 0.01


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_argument(parser: ArgumentParser) -> None:
    """The lab's own option."""
    parser.add_argument("--lab-plan", help="JSON file, as loadgen.drivers.locust writes it")


@events.init.add_listener  # type: ignore[untyped-decorator]
def wait_for_start(environment: Environment, **_: Any) -> None:
    """Say that all is imported, then begin at the instant that the protocol sends."""
    assert environment.parsed_options is not None
    plan = json.loads(Path(environment.parsed_options.lab_plan).read_text())
    Consumer.path = plan["path"]
    Consumer.expected_text = plan["expected_text"]
    Consumer.log = RequestLog(Path(plan["log"]))
    Consumer.network_timeout = Consumer.connection_timeout = plan["timeout_s"]
    Path(plan["ready"]).touch()
    orders = ProtocolOrders()
    start_ns = orders.start_ns()
    if plan["follows"]:
        gevent.spawn(end_when_it_is_over, environment, orders)
    time.sleep(max(0, start_ns - time.monotonic_ns()) / 1e9)


def end_when_it_is_over(environment: Environment, orders: ProtocolOrders) -> None:
    """End the load once the requests of a window have ended, or patience has.

    It ends at once where the protocol has gone.
    """
    gevent.socket.wait_read(orders.file)
    if window := orders.followed():
        gevent.sleep(max(0, window.end_ns - time.monotonic_ns()) / 1e9)
        while Consumer.waits(window.end_ns) and time.monotonic_ns() < window.patience_ns:
            gevent.sleep(LOOK_EVERY_S)
    assert environment.runner is not None
    environment.runner.quit()


class Consumer(FastHttpUser):
    """A user without think time, who looks at what comes back."""

    path: str
    expected_text: str
    log: RequestLog
    numbers = itertools.count()
    #: By the number of a user who waits: when his request was sent.
    in_flight: ClassVar[dict[int, int]] = {}

    @classmethod
    def waits(cls, before_ns: int) -> bool:
        """Whether a request is in flight that was sent before an instant."""
        return any(sent_ns < before_ns for sent_ns in cls.in_flight.values())

    def on_start(self) -> None:
        """Each user has a number."""
        self.number = next(self.numbers)

    @task
    def view(self) -> None:
        """Ask once; right is status 200 and the expected text."""
        sent_ns = self.in_flight[self.number] = time.monotonic_ns()
        answered_ns, status, failure = None, 0, UNANSWERED
        try:
            with self.client.get(self.path, name="view", catch_response=True) as response:
                answered_ns, status = time.monotonic_ns(), response.status_code
                failure = self._judge(response)
                if failure:
                    response.failure(failure)
            if failure.startswith(NO_ANSWER):
                answered_ns = None
        finally:
            ended_ns = answered_ns or time.monotonic_ns()
            del self.in_flight[self.number]
            self.log.write(
                LoggedRequest(sent_ns, sent_ns, answered_ns, ended_ns, status, failure, self.number)
            )

    def _judge(self, response: Any) -> str:
        """Why the answer is wrong; empty where it is right."""
        if not response.status_code:
            return f"{NO_ANSWER}{response.error!r}"
        if response.status_code != 200:
            return f"status {response.status_code}"
        # A body that broke off has what came of it, perhaps the expected text too.
        if response.request_meta["exception"]:
            return f"{NO_ANSWER}{response.request_meta['exception']!r}"
        if self.expected_text not in (response.text or ""):
            return "wrong body"
        return ""
