"""The lab runs as compose.yaml declares it."""

import subprocess
from collections.abc import Callable

import httpx

from lab import Server


def test_the_api_answers_with_a_country(api: httpx.Client) -> None:
    answer = api.get("/0/")

    assert answer.status_code == 200
    assert set(answer.json()) == {"name", "alpha_2", "alpha_3", "flag"}


def test_compose_yaml_declares_the_servers_of_both_articles(servers: list[Server]) -> None:
    assert {server.name for server in servers} >= {
        "uwsgi-2-threads",
        "uwsgi-100-threads",
        "uwsgi-gevent",
        "gunicorn-100-threads",
        "gunicorn-gevent",
        "uvicorn",
        "gunicorn-4x10",
        "uvicorn-4",
    }


def test_every_service_of_the_lab_runs(
    servers: list[Server], compose: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    running = compose("ps", "--services", "--status", "running")

    assert running.returncode == 0, running.stderr
    assert {server.name for server in servers} | {"api"} <= set(running.stdout.split())
