"""What a view answers when its upstream does wrong.

The lab's API does nothing wrong, so the tests are the upstream themselves: a server in their own
container, which misbehaves as the delay in the path says. The app asks it in a container that is
given another LAB_UPSTREAM_HOST.
"""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from answers import is_refusal
from contract.conftest import OneOff, Running
from lab import REAL_HTTP_CLIENTS, server_named

ANSWERS_500, NO_JSON, OTHER_JSON, HANGS_UP = "1", "2", "3", "4"
ADDRESS = socket.gethostbyname(socket.gethostname())


class Misbehaving(BaseHTTPRequestHandler):
    """Answers `/{ms}/` and `/todos/1?ms=` by what `ms` says."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = parse_qs(url.query).get("ms", [url.path.strip("/")])[0]
        if asked == HANGS_UP:
            self.close_connection = True
            return
        body = {NO_JSON: b"<html>", OTHER_JSON: b"[]"}.get(asked, b'{"name": "x", "title": "x"}')
        self.send_response(500 if asked == ANSWERS_500 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """A test's output is for its failures."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[None]:
    """The misbehaving upstream, over http; over https nobody listens."""
    with ThreadingHTTPServer(("0.0.0.0", 9000), Misbehaving) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=["gunicorn-100-threads", "uvicorn"])
def running(request: pytest.FixtureRequest, upstream: None, one_off: OneOff) -> Iterator[Running]:
    """The server of that name with DEBUG on, before that upstream."""
    del upstream
    server = server_named(request.param)
    launcher = one_off(server, environment={"LAB_UPSTREAM_HOST": ADDRESS})
    with launcher.running(settings="article") as client:
        client.headers["Connection"] = "close"
        yield Running(server, launcher, client)


@pytest.mark.parametrize("wrong", [ANSWERS_500, NO_JSON, OTHER_JSON, HANGS_UP])
@pytest.mark.parametrize("workload", ["fanout", "single"])
def test_a_wrong_answer_of_the_upstream_is_a_bad_gateway(
    running: Running, workload: str, wrong: str, subtests: pytest.Subtests
) -> None:
    for http_client, view in running.server.views_by_client(REAL_HTTP_CLIENTS).items():
        with subtests.test(http_client=http_client):
            path = f"/{view}/{workload}/{http_client}/?delays_ms={wrong}"

            refusal = is_refusal(running.client.get(path), 502)

            assert f"{ADDRESS}:9000" in refusal["error"]


def test_one_wrong_answer_of_three_spoils_the_page(
    running: Running, subtests: pytest.Subtests
) -> None:
    for http_client, view in running.server.views_by_client(REAL_HTTP_CLIENTS).items():
        with subtests.test(http_client=http_client):
            path = f"/{view}/fanout/{http_client}/?delays_ms=9,9,{ANSWERS_500}"

            is_refusal(running.client.get(path), 502)


def test_an_upstream_that_cannot_be_reached_is_a_bad_gateway(
    running: Running, subtests: pytest.Subtests
) -> None:
    for http_client, view in running.server.views_by_client(REAL_HTTP_CLIENTS).items():
        with subtests.test(http_client=http_client):
            path = f"/{view}/fanout/{http_client}/?delays_ms=9,9,9&upstream=https"

            is_refusal(running.client.get(path), 502)
