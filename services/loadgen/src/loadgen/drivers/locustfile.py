"""Runs inside Locust: one kind of user, one view, and a log line for every request.

The log has exact instants of the monotonic clock, which all containers of a host share. A request
that Locust gives up on at its end is logged too, without an answer.
"""

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from geventhttpclient import client
from locust import FastHttpUser, events, task
from locust.env import Environment

from loadgen.drivers.request_log import RequestLog

# Locust's HTTP client sends a GET again, up to eleven times and unseen by Locust, where the server
# closes the connection instead of answering: the server would get more requests than anybody
# counts, and a failure would look like a slow answer. None of its methods may be sent again.
client.IDEMPOTENT_METHODS = frozenset()

#: How the failure of a request begins that got no whole answer.
NO_ANSWER = "no answer: "


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_argument(parser: ArgumentParser) -> None:
    """The lab's own option."""
    parser.add_argument("--lab-plan", help="JSON file: path, expected_text, log, ready")


@events.init.add_listener  # type: ignore[untyped-decorator]
def wait_for_start(environment: Environment, **_: Any) -> None:
    """Say that all is imported, then begin at the instant that the protocol sends."""
    assert environment.parsed_options is not None
    plan = json.loads(Path(environment.parsed_options.lab_plan).read_text())
    Consumer.path = plan["path"]
    Consumer.expected_text = plan["expected_text"]
    Consumer.log = RequestLog(Path(plan["log"]))
    Path(plan["ready"]).touch()
    start_ns = int(sys.stdin.readline())
    time.sleep(max(0, start_ns - time.monotonic_ns()) / 1e9)


class Consumer(FastHttpUser):
    """A user without think time, who looks at what comes back."""

    path: str
    expected_text: str
    log: RequestLog

    @task
    def view(self) -> None:
        """Ask once; right is status 200 and the expected text."""
        sent_ns = time.monotonic_ns()
        answered_ns, status, failure = None, 0, "unanswered"
        try:
            with self.client.get(self.path, name="view", catch_response=True) as response:
                answered_ns, status = time.monotonic_ns(), response.status_code
                failure = self._judge(response)
                if failure:
                    response.failure(failure)
            if failure.startswith(NO_ANSWER):
                answered_ns = None
        finally:
            self.log.write(sent_ns, sent_ns, answered_ns, status, failure)

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
