"""The upstream API by itself, over http and https."""

import asyncio
import ssl
import time
from collections.abc import Iterator

import httpx
import pytest

from answers import TODO

LAB_CA = "/ca/lab-ca.pem"
ORIGINS = ["http://api:9000", "https://api:9443"]


@pytest.fixture(params=ORIGINS)
def client(api: httpx.Client, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client that trusts the lab's CA and nobody else."""
    del api
    trust = ssl.create_default_context(cafile=LAB_CA)
    with httpx.Client(base_url=request.param, verify=trust, timeout=70) as made:
        yield made


@pytest.mark.parametrize("path", ["/40/", "/62.5/", "/todos/1?ms=40", "/as/example-order.json/40/"])
def test_an_answer_has_its_length_and_is_never_early(client: httpx.Client, path: str) -> None:
    began = time.monotonic()
    answer = client.get(path)
    took_s = time.monotonic() - began

    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Content-Type"] == "application/json"
    assert took_s >= (0.0625 if "62.5" in path else 0.04)


def test_a_delay_answers_with_a_country_and_a_todo_with_the_articles_document(
    client: httpx.Client,
) -> None:
    assert set(client.get("/0/").json()) == {"name", "alpha_2", "alpha_3", "flag"}
    assert client.get("/todos/1").json() == TODO


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/soon/", 400),
        ("/-1/", 400),
        ("/60001/", 400),
        ("/todos/1?ms=soon", 400),
        ("/todos/one", 404),
        ("/as/no-such-file/0/", 404),
        ("/nowhere/at/all", 404),
    ],
)
def test_a_wrong_path_or_delay_is_refused_at_once_in_json(
    client: httpx.Client, path: str, status: int
) -> None:
    answer = client.get(path)

    assert answer.status_code == status
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.json()["error"]


def test_another_method_is_not_allowed(client: httpx.Client) -> None:
    assert client.post("/0/").status_code == 405


@pytest.mark.parametrize("origin", ORIGINS)
def test_none_of_200_parallel_calls_is_answered_early(api: httpx.Client, origin: str) -> None:
    delays_ms = [20 + number for number in range(200)]
    trust = ssl.create_default_context(cafile=LAB_CA)
    limits = httpx.Limits(max_connections=None)
    api.post("/-/reset")

    async def early_ms(client: httpx.AsyncClient, delay_ms: int) -> float:
        began = time.monotonic()
        (await client.get(f"{origin}/{delay_ms}/")).raise_for_status()
        return delay_ms - (time.monotonic() - began) * 1000

    async def worst() -> float:
        async with httpx.AsyncClient(verify=trust, timeout=60, limits=limits) as client:
            return max(await asyncio.gather(*(early_ms(client, ms) for ms in delays_ms)))

    assert asyncio.run(worst()) <= 0
    stats = api.get("/-/stats").json()
    assert (stats["calls"], stats["failures"], stats["in_flight"]) == (200, 0, 0)
    assert stats["lateness_ms"]["min"] >= 0


def test_a_client_that_does_not_know_the_labs_ca_refuses_its_certificate(
    api: httpx.Client,
) -> None:
    del api
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get("https://api:9443/0/", verify=ssl.create_default_context())


def test_a_list_of_answers_is_played_in_order_and_recorded(client: httpx.Client) -> None:
    answers = [{"ms": 40}, {"ms": 0, "status": 500}, {"ms": 0, "bytes": 0}]
    client.post("/-/play", json={"answers": answers}).raise_for_status()

    statuses = [client.get("/play/").status_code for _ in range(2)]
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/play/")
    beyond = client.get("/play/")

    played = client.get("/-/played").json()
    assert (statuses, beyond.status_code) == ([200, 500], 503)
    assert [answer["status"] for answer in played["answers"]] == [200, 500, 200]
    assert [answer["bytes"] for answer in played["answers"]] == [None, None, 0]
    assert played["beyond"] == 1
    slow = played["answers"][0]
    assert slow["written_ns"] - slow["arrived_ns"] >= 40_000_000
