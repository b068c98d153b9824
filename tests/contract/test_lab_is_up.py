"""The lab runs as compose.yaml declares it."""

import subprocess
from collections.abc import Callable

import httpx
import yaml

from lab import ROOT, Server

#: A server of the profile `selftest`, and the one that it is the twin of.
TWINS = {
    "uvicorn-twin": "uvicorn",
    "gunicorn-100-threads-twin": "gunicorn-100-threads",
    "planted-wait-10ms": "uvicorn",
    "planted-cpu-5": "uvicorn",
    "planted-cpu-10": "uvicorn",
}


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
    expected = {"api", "api-django", "spare", *(server.name for server in servers)}
    assert expected <= set(running.stdout.split())


def test_servers_of_the_self_tests_do_not_come_up_by_themselves(
    compose: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert set(TWINS).isdisjoint(compose("ps", "--all", "--services").stdout.split())


def test_a_twin_differs_in_its_title_and_in_what_is_planted_alone() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name, original_name in TWINS.items():
        twin, original = services[name], services[original_name]
        assert twin.pop("profiles") == ["selftest"]
        assert twin["labels"].pop("lab.title") != original["labels"]["lab.title"]
        planted = {key for key in twin["environment"] if key.startswith("LAB_PLANTED_")}
        assert len(planted) == name.startswith("planted-")
        for key in planted:
            del twin["environment"][key]
        labels = {**original["labels"]}
        del labels["lab.title"]
        assert twin == original | {"labels": labels}, name
