"""What a run needs is waited for together; what is missing is named at once, all of it, once."""

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from loadgen.errors import ConfigurationError
from loadgen.lab import network
from loadgen.runs import services
from tests.make import a_page, a_server
from tests.stand_ins import StandInLab, View, http_client

#: Waiting for it would end no test.
FOREVER_S = 1e9


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInLab]:
    with StandInLab() as stand_in:
        monkeypatch.setattr("socket.gethostbyname", stand_in.resolve)
        monkeypatch.setattr(network, "LAUNCHER_PORT", stand_in.launcher_port)
        monkeypatch.setattr(services, "API_PORT", stand_in.api_port)
        monkeypatch.setattr(services, "NAME_GRACE_S", 0.3)
        monkeypatch.setattr(services, "UP_TIMEOUT_S", FOREVER_S)
        yield stand_in


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with http_client() as client:
        yield client


def needed(http: httpx.Client, *names: str) -> list[services.Service]:
    return [
        services.api(http),
        *(services.server(a_server(name=name), http) for name in names),
    ]


def test_everything_that_is_up_has_an_address(lab: StandInLab, http: httpx.Client) -> None:
    assert services.wait_for(needed(http, "one", "two")) == dict.fromkeys(
        ("api", "one", "two"), "127.0.0.1"
    )
    assert lab.events


@pytest.mark.parametrize(
    ("unknown", "sentence"),
    [
        (["one"], "one is not up. Start it with: docker compose up -d one"),
        (["two", "one"], "one and two are not up. Start them with: docker compose up -d one two"),
        (
            ["api", "two", "one"],
            "api, one and two are not up. Start them with: docker compose up -d api one two",
        ),
    ],
)
def test_all_that_is_missing_is_named_once_and_not_waited_for(
    unknown: list[str], sentence: str, lab: StandInLab, http: httpx.Client
) -> None:
    lab.unknown_names.update(unknown)
    with pytest.raises(ConfigurationError) as error:
        services.wait_for(needed(http, "one", "two", "three"))
    assert str(error.value) == sentence


def test_a_container_of_the_same_start_may_get_its_name_a_little_later(
    lab: StandInLab, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def resolve(name: str) -> str:
        asked.append(name)
        if name == "one" and asked.count("one") < 3:
            raise OSError("Name or service not known")
        return lab.resolve(name)

    monkeypatch.setattr("socket.gethostbyname", resolve)
    monkeypatch.setattr(services, "NAME_GRACE_S", 60)
    monkeypatch.setattr(services, "POLL_S", 0.01)
    assert services.wait_for(needed(http, "one"))["one"] == "127.0.0.1"


def test_a_resolver_that_is_silent_is_not_waited_for(
    lab: StandInLab, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def resolve(name: str) -> str:
        if name == "one":
            over.wait()
        return lab.resolve(name)

    monkeypatch.setattr("socket.gethostbyname", resolve)
    with pytest.raises(ConfigurationError, match=r"^one is not up\."):
        services.wait_for(needed(http, "one"))
    over.set()


def test_a_server_that_is_there_may_answer_later(lab: StandInLab, http: httpx.Client) -> None:
    with View(0.0) as reserved:
        port = reserved.port
    begun: list[View] = []

    def begin(_address: str) -> None:
        if not begun:
            begun.append(View(0.0, port=port))
            raise ConnectionRefusedError(111, "Connection refused")
        socket.create_connection(("127.0.0.1", port)).close()

    asked = [*needed(http), services.Service("mine", "mine", begin)]
    assert services.wait_for(asked)["mine"] == "127.0.0.1"
    begun[0].close()
    assert not lab.runs


def test_what_does_not_answer_in_time_is_named_with_its_reason(
    lab: StandInLab, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with View(0.0) as reserved:
        page = a_page(host="mine", port=reserved.port)
    monkeypatch.setattr(services, "UP_TIMEOUT_S", 0.1)
    servers = [a_server(name=name, page=page) for name in ("mine", "other")]
    with pytest.raises(ConfigurationError) as error:
        services.wait_for([services.server(server, http) for server in servers])
    assert str(error.value) == (
        "mine and other (at mine) do not answer ([Errno 111] Connection refused). See why with: "
        "docker compose logs mine other or start them anew with: docker compose up -d "
        "--force-recreate mine other"
    )
    assert not lab.runs


def test_a_page_elsewhere_is_asked_there(lab: StandInLab, http: httpx.Client) -> None:
    lab.unknown_names.add("shop.invalid")
    page = a_page(host="shop.invalid")
    with pytest.raises(ConfigurationError, match=r"^mine \(at shop\.invalid\) is not up\. Start"):
        services.wait_for([services.server(a_server(name="mine", page=page), http)])


def test_a_name_that_no_host_can_have_is_not_up(http: httpx.Client) -> None:
    page = a_page(host="a" * 70)
    with pytest.raises(ConfigurationError, match=r"^mine \(at a+\) is not up\."):
        services.wait_for([services.server(a_server(name="mine", page=page), http)], 0.0)
