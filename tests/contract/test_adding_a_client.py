"""docs/adding-a-client.md, followed to the letter: the client on it works."""

import shlex
import tomllib
from collections.abc import Iterator

import httpx
import pytest

from answers import is_refusal, is_right
from contract.conftest import OneOff
from lab import HTTP_CLIENTS, Server
from page import blocks

MODULE, SHARED = blocks("adding-a-client.md", "python")
(ENTRY,) = blocks("adding-a-client.md", "toml")
((NAME, CLIENT),) = tomllib.loads(ENTRY).items()
FOLDER = "/tmp/src/consumer/http_clients"


@pytest.fixture(scope="module")
def client(servers: list[Server], one_off: OneOff) -> Iterator[httpx.Client]:
    """A server whose app has the page's module and its lines in the registry.

    The container is read-only, so the app is a copy.
    """
    (server,) = (server for server in servers if server.name == "gunicorn-100-threads")
    write = "; ".join(
        [
            "cp -r /srv/src /tmp",
            f"printf %s {shlex.quote(MODULE)} > {FOLDER}/{NAME.replace('-', '_')}.py",
            f"printf '\\n%s' {shlex.quote(ENTRY)} >> {FOLDER}/registry.toml",
            "exec gunicorn consumer.wsgi --bind 0.0.0.0:8000 --threads 10 --no-control-socket",
        ]
    )
    launcher = one_off(server, command=["sh", "-ec", write], environment={"PYTHONPATH": "/tmp/src"})
    with launcher.running(preload=NAME) as client:
        yield client


def test_it_is_not_in_the_lab_yet() -> None:
    assert NAME not in HTTP_CLIENTS


@pytest.mark.parametrize("upstream", ["http", "https"])
@pytest.mark.parametrize("workload", ["fanout", "serial", "single"])
def test_it_fetches(client: httpx.Client, workload: str, upstream: str) -> None:
    query = {"delays_ms": "20", "upstream": upstream}

    is_right(client.get(f"/sync/{workload}/{NAME}/", params=query), workload)


def test_it_serves_the_views_that_its_entry_names(client: httpx.Client) -> None:
    assert CLIENT["views"] == ["sync"]
    is_refusal(client.get(f"/async/fanout/{NAME}/"), 400)
    assert NAME in is_refusal(client.get("/sync/fanout/curl/"), 404)["known"]
