"""The views in a whole Django: each test has a process of its own, with settings of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from upstream_stand_in import Upstream, free_port

from consumer.http_clients import HTTP_CLIENTS

SETTINGS = ("startproject", "bare", "article", "article_bare")

# Answers each path of its arguments as the servers do, and prints what was imported on the way.
CLIENT = Path(__file__).with_name("application_client.py")


@dataclass(frozen=True)
class Page:
    status: int
    headers: dict[str, str]
    body: str
    imported: list[str]
    wall_ms: float
    cpu_ms: float

    def json(self) -> Any:
        return json.loads(self.body)


def get(
    paths: Sequence[str],
    *,
    upstream: str,
    interface: str = "wsgi",
    settings: str = "bare",
    preload: str = "",
    environment: dict[str, str] | None = None,
) -> list[Page]:
    lab = {
        "DJANGO_SETTINGS_MODULE": f"consumer.settings.{settings}",
        "LAB_UPSTREAM_HTTP": upstream,
        "LAB_UPSTREAM_HTTPS": upstream,
        "LAB_UPSTREAM_DJANGO": upstream,
        "LAB_PRELOAD": preload,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    output = subprocess.run(
        [sys.executable, CLIENT, interface, *paths],
        env=os.environ | lab | (environment or {}),
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    ).stdout
    return [Page(**json.loads(line)) for line in output.splitlines()]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_every_answer_says_its_length(interface: str, settings: str, upstream: Upstream) -> None:
    paths = [
        "/sync/fanout/no-http/?delays_ms=1",
        "/async/single/httpx-per-request/?delays_ms=1",
        "/sync/fanout/curl/",
        "/sync/fanout/no-http/?delays_ms=x",
        "/nowhere",
    ]
    pages = get(paths, upstream=upstream.url, interface=interface, settings=settings)
    assert [page.status for page in pages] == [200, 200, 404, 400, 404]
    for page in pages:
        assert page.headers["Content-Length"] == str(len(page.body.encode()))


@pytest.mark.parametrize("view", ["sync", "async"])
def test_fanout_and_serial_show_a_country_and_single_passes_the_document_on(
    view: str, upstream: Upstream
) -> None:
    paths = [
        f"/{view}/{workload}/httpx-per-request/?delays_ms=1"
        for workload in ("fanout", "serial", "single")
    ]
    fanout, serial, single = get(paths, upstream=upstream.url)
    assert (fanout.status, serial.status, single.status) == (200, 200, 200)
    assert '<h1 id="country">Chile</h1>' in fanout.body
    assert serial.body == fanout.body
    assert single.json()["title"] == "delectus aut autem"


@pytest.mark.parametrize(("interface", "view"), [("wsgi", "sync"), ("asgi", "async")])
def test_the_calls_of_serial_are_in_the_order_of_its_delays_and_never_two_at_once(
    interface: str, view: str, upstream: Upstream
) -> None:
    names = [name for name, views in HTTP_CLIENTS.items() if view in views and name != "no-http"]
    pages = get(
        [f"/{view}/serial/{name}/?delays_ms=30,0,20" for name in names],
        upstream=upstream.url,
        interface=interface,
    )
    assert [page.status for page in pages] == [200] * len(names)
    assert upstream.paths == ["/30/", "/0/", "/20/"] * len(names)
    assert upstream.peak_in_flight == 1
    assert all(page.wall_ms >= 50 for page in pages)


@pytest.mark.parametrize("asked", ["http", "https", "django"])
def test_a_view_calls_the_upstream_that_it_is_asked_for(asked: str, upstream: Upstream) -> None:
    elsewhere = f"http://127.0.0.1:{free_port()}"
    addresses = {
        f"LAB_UPSTREAM_{other.upper()}": upstream.url if other == asked else elsewhere
        for other in ("http", "https", "django")
    }
    path = f"/sync/single/requests-shared/?delays_ms=1&upstream={asked}"
    (page,) = get([path], upstream="", environment=addresses)
    assert page.status == 200
    assert len(upstream.peers) == 1


@pytest.mark.parametrize("path", ["/sync/test", "/async/test"])
def test_the_routes_of_article_b_answer(path: str, upstream: Upstream) -> None:
    (page,) = get([f"{path}?delays_ms=1"], upstream=upstream.url)
    assert (page.status, page.json()["id"]) == (200, 1)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("view", ["sync", "async"])
def test_an_upstream_that_is_not_there_is_a_502(view: str, settings: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    path = f"/{view}/fanout/httpx-per-request/"
    (page,) = get([path], upstream=nowhere, settings=settings)
    assert page.status == 502
    assert nowhere in page.json()["error"]


@pytest.mark.parametrize(("interface", "view"), [("wsgi", "sync"), ("asgi", "async")])
def test_a_view_waits_for_its_service_time_and_some_patience_then_it_is_a_504(
    interface: str, view: str, upstream: Upstream
) -> None:
    names = [name for name, views in HTTP_CLIENTS.items() if view in views and name != "no-http"]
    # Longer than the patience alone.
    in_time = [f"/{view}/single/{name}/?delays_ms=600" for name in names]
    late = [f"/{view}/fanout/{name}/?delays_ms=0,10&upstream=django" for name in names]
    pages = get(
        in_time + late,
        upstream=upstream.url,
        interface=interface,
        environment={
            "LAB_UPSTREAM_DJANGO": f"{upstream.url}/late",
            "TEST_PATIENCE_S": "0.5",
        },
    )
    answered, given_up = pages[: len(names)], pages[len(names) :]
    assert dict(zip(names, [page.status for page in answered], strict=True)) == dict.fromkeys(
        names, 200
    )
    assert dict(zip(names, [page.status for page in given_up], strict=True)) == dict.fromkeys(
        names, 504
    )
    for page in given_up:
        assert f"{upstream.url}/late" in page.json()["error"]
        assert page.wall_ms >= 500


@pytest.mark.parametrize("workload", ["fanout", "serial"])
@pytest.mark.parametrize("wrong", ["status/500", "garbage"])
def test_one_wrong_answer_among_three_is_a_502(
    wrong: str, workload: str, upstream: Upstream
) -> None:
    base = f"{upstream.url}/{wrong}?"  # what follows is the query then
    (page,) = get([f"/sync/{workload}/requests-shared/"], upstream=base)
    assert page.status == 502
    assert page.json()["error"].startswith(base)


def test_an_unknown_client_is_a_404_that_lists_the_known(upstream: Upstream) -> None:
    (page,) = get(["/async/fanout/curl/"], upstream=upstream.url)
    assert page.status == 404
    assert "httpx-shared" in page.json()["known"]


def test_a_single_call_has_a_single_delay(upstream: Upstream) -> None:
    (page,) = get(["/sync/single/no-http/?delays_ms=1,2"], upstream=upstream.url)
    assert page.status == 400


def test_an_async_client_that_is_shared_cannot_be_used_under_wsgi(upstream: Upstream) -> None:
    (page,) = get(["/async/single/httpx-shared/"], upstream=upstream.url)
    assert page.status == 400
    assert "ASGI" in page.json()["error"]


@pytest.mark.parametrize("name", [name for name, views in HTTP_CLIENTS.items() if "async" in views])
def test_a_server_without_lifespan_starts_with_its_first_request(
    name: str, upstream: Upstream
) -> None:
    path = f"/async/fanout/{name}/?delays_ms=1,1"
    first, second = get(
        [path, path], upstream=upstream.url, interface="asgi-without-lifespan", preload=name
    )
    assert (first.status, second.status) == (200, 200)
    assert second.imported == []
    if name.endswith("-shared"):
        assert len(set(upstream.peers)) < len(upstream.peers) == 4


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(
    ("interface", "view", "name"),
    [
        ({"sync": "wsgi", "async": "asgi"}[view], view, name)
        for name, views in HTTP_CLIENTS.items()
        for view in views
    ],
)
def test_after_the_start_a_view_imports_nothing(
    interface: str, view: str, name: str, settings: str, upstream: Upstream
) -> None:
    paths = [f"/{view}/{workload}/{name}/?delays_ms=1,1" for workload in ("serial", "fanout")]
    pages = get(paths, upstream=upstream.url, interface=interface, settings=settings, preload=name)
    assert [page.status for page in pages] == [200, 200]
    assert [page.imported for page in pages] == [[], []]


def test_what_is_not_asked_for_is_not_imported(upstream: Upstream) -> None:
    (page,) = get(["/sync/single/no-http/?delays_ms=1"], upstream=upstream.url)
    assert page.status == 200
    libraries = {"httpx", "httpx2", "requests", "urllib3", "aiohttp", "pyreqwest", "gevent"}
    assert libraries.isdisjoint(page.imported)


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_a_wrong_preload_stops_the_start(interface: str) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        get([], upstream="", interface=interface, preload="curl")


PLANTED = pytest.mark.parametrize(("interface", "view"), [("wsgi", "sync"), ("asgi", "async")])


@PLANTED
def test_a_planted_wait_takes_time_and_no_cpu(
    interface: str, view: str, upstream: Upstream
) -> None:
    (page,) = get(
        [f"/{view}/fanout/no-http/?delays_ms=20"],
        upstream=upstream.url,
        interface=interface,
        environment={"LAB_PLANTED_WAIT_MS": "400"},
    )
    assert page.status == 200
    assert page.wall_ms >= 420
    assert page.cpu_ms < 400


@PLANTED
def test_planted_cpu_work_is_cpu_time(interface: str, view: str, upstream: Upstream) -> None:
    (page,) = get(
        [f"/{view}/fanout/no-http/?delays_ms=20"],
        upstream=upstream.url,
        interface=interface,
        environment={"LAB_PLANTED_CPU_MS": "100"},
    )
    assert page.status == 200
    assert page.wall_ms >= 120
    assert page.cpu_ms >= 100


@pytest.mark.parametrize("variable", ["LAB_PLANTED_WAIT_MS", "LAB_PLANTED_CPU_MS"])
@pytest.mark.parametrize("text", ["ten", "-1", "nan", "", "1001"])
def test_what_is_no_duration_cannot_be_planted(
    variable: str, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        get([], upstream="", environment={variable: text})
    assert f"{variable} is {text!r}" in capfd.readouterr().err
