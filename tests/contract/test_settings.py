"""The other settings: a server of each kind gives the same answers and refusals with them."""

from collections.abc import Iterator

import httpx
import pytest

from answers import is_refusal, is_right
from contract.conftest import Running
from lab import HTTP_CLIENTS, Launcher, Server, server_named

SERVERS = ["uwsgi-2-threads", "gunicorn-gevent", "uvicorn"]


@pytest.fixture(scope="module", params=SERVERS)
def of_each_kind(request: pytest.FixtureRequest) -> Server:
    return server_named(request.param)


@pytest.fixture(scope="module", params=["bare", "article", "article_bare"])
def settings(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def running(of_each_kind: Server, settings: str, api: httpx.Client) -> Iterator[Running]:
    """A server with these settings, shared by the tests below."""
    del api
    launcher = Launcher(of_each_kind)
    with launcher.http, launcher.running(settings=settings) as client:
        client.headers["Connection"] = "close"
        yield Running(of_each_kind, launcher, client)


def test_it_runs_with_these_settings(running: Running, settings: str) -> None:
    assert running.launcher.about()["settings"] == settings


@pytest.mark.parametrize("workload", ["fanout", "single"])
def test_the_answers_are_right_and_have_their_length(
    running: Running, workload: str, subtests: pytest.Subtests
) -> None:
    for http_client, view in running.server.views_by_client(HTTP_CLIENTS).items():
        with subtests.test(http_client=http_client):
            path = f"/{view}/{workload}/{http_client}/?delays_ms=20"
            is_right(running.client.get(path), workload)


def test_refusals_are_small_json_with_debug_too(running: Running) -> None:
    view = f"/{running.server.view}"

    is_refusal(running.client.get(f"{view}/fanout/no-http/?delays_ms=soon"), 400)
    is_refusal(running.client.get(f"{view}/fanout/curl-per-request/"), 404)
    is_refusal(running.client.get(f"{view}/nowhere"), 404)
    is_refusal(running.client.get("/async/fanout/requests-shared/"), 400)
