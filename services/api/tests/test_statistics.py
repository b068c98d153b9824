"""What the API says of itself."""

import socket
import time

from api import Api

GET_300 = b"GET /300/ HTTP/1.1\r\nHost: api\r\n\r\n"
EMPTY = {"count": 0, **dict.fromkeys(("mean", "min", "max"))} | dict.fromkeys(
    ("p50", "p95", "p98", "p99", "p99_5", "p99_9")
)


def test_calls_and_failures_of_the_delay_routes_are_counted(api: Api) -> None:
    (api.my_api / "cart.json").write_text("{}")
    for path in ("/1/", "/todos/1", "/as/cart.json/1/"):
        assert api.get(path).status == 200
    for path in ("/bad/", "/todos/first", "/todos/1?ms=-1", "/as/missing.json/1/"):
        assert 400 <= api.get(path).status < 500
    assert api.get("/1/", "POST").status == 405

    stats = api.stats()

    assert (stats["calls"], stats["failures"]) == (8, 5)
    assert stats["lateness_ms"]["count"] == 3
    assert (stats["in_flight"], stats["peak_in_flight"]) == (0, 1)


def test_other_requests_are_not_counted(api: Api) -> None:
    for path in ("/", "/favicon.ico", "/-/stats", "/-/other"):
        api.get(path)

    assert (api.stats()["calls"], api.stats()["failures"]) == (0, 0)


def test_the_peak_is_the_most_calls_in_flight_at_once(api: Api) -> None:
    clients = [api.connect() for _ in range(7)]
    for client in clients:
        client.sendall(GET_300.replace(b"300", b"1000"))

    assert api.stats_when(lambda stats: stats["in_flight"] == 7)["peak_in_flight"] == 7
    for client in clients:
        assert client.recv(1000)
        client.close()
    stats = api.stats()
    assert (stats["in_flight"], stats["peak_in_flight"]) == (0, 7)


def test_a_reset_tells_the_values_before_it_and_starts_anew(api: Api) -> None:
    api.get("/1/")
    api.get("/bad/")

    for method in ("POST", "GET"):
        before = api.get("/-/reset", method).json
        if method == "POST":
            assert (before["calls"], before["failures"]) == (2, 1)
            assert before["lateness_ms"]["count"] == 1
        else:
            assert (before["calls"], before["failures"]) == (0, 0)
            assert before["peak_in_flight"] == 0
            assert before["lateness_ms"] == EMPTY


def test_a_call_in_flight_outlives_a_reset(api: Api) -> None:
    with api.connect() as client:
        client.sendall(GET_300.replace(b"300", b"1000"))
        api.stats_when(lambda stats: stats["in_flight"] == 1)
        api.reset()

        stats = api.stats()
        assert (stats["calls"], stats["in_flight"], stats["peak_in_flight"]) == (0, 1, 1)
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    stats = api.stats()
    assert (stats["failures"], stats["in_flight"]) == (0, 0)
    assert stats["lateness_ms"]["count"] == 1


def test_the_instant_is_on_the_clock_that_all_processes_share(api: Api) -> None:
    before = time.monotonic_ns()
    instant = api.stats()["monotonic_ns"]

    assert before <= instant <= time.monotonic_ns()


def test_the_start_is_the_same_instant_until_the_api_is_restarted(api: Api) -> None:
    before = api.stats()
    api.reset()
    after = api.stats()

    assert before["started_ns"] == after["started_ns"] < before["monotonic_ns"]


def test_cpu_time_grows_with_work(api: Api) -> None:
    before = api.stats()["cpu_seconds"]
    for _ in range(50):
        api.get("/0/")

    assert api.stats()["cpu_seconds"] > before


def test_many_clients_that_leave_are_all_counted_and_forgotten(api: Api) -> None:
    clients: list[socket.socket] = []
    for _ in range(300):
        client = api.connect()
        client.sendall(GET_300.replace(b"300", b"60000"))
        clients.append(client)
    api.stats_when(lambda stats: stats["in_flight"] == 300)
    for client in clients:
        client.close()

    stats = api.stats_when(lambda stats: stats["in_flight"] == 0)
    assert (stats["calls"], stats["failures"], stats["peak_in_flight"]) == (300, 300, 300)
