"""What the API bears from its clients."""

import socket
import time

import pytest
from api import Api, exchange, is_closed, receive

GET_5 = b"GET /5/ HTTP/1.1\r\nHost: api\r\n\r\n"
GET_300 = b"GET /300/ HTTP/1.1\r\nHost: api\r\n\r\n"
GET_60000 = b"GET /60000/ HTTP/1.1\r\nHost: api\r\n\r\n"


@pytest.fixture(params=["http", "https"])
def connection(api: Api, request: pytest.FixtureRequest) -> socket.socket:
    tls = request.param == "https"
    return api.connect_tls() if tls else api.connect()


def test_a_connection_is_kept_for_many_requests(connection: socket.socket) -> None:
    with connection:
        for _ in range(20):
            answer = exchange(connection, GET_5)

            assert answer.status == 200
            assert "connection" not in answer.headers


def test_a_request_may_arrive_byte_by_byte(api: Api) -> None:
    with api.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /todos/42?ms=1 HTTP/1.1\r\nHost: api\r\n\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.0005)

        assert receive(connection).json["id"] == 42


def test_connection_close_is_obeyed(connection: socket.socket) -> None:
    with connection:
        answer = exchange(connection, b"GET /5/ HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n")

        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        assert is_closed(connection)


def test_http_1_0_gets_its_answer_and_a_closed_connection(connection: socket.socket) -> None:
    with connection:
        answer = exchange(connection, b"GET /5/ HTTP/1.0\r\n\r\n")

        assert answer.status == 200
        assert is_closed(connection)


def test_http_1_0_may_keep_its_connection(api: Api) -> None:
    with api.connect() as connection:
        for _ in range(3):
            answer = exchange(connection, b"GET /5/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

            assert answer.status == 200
            assert answer.headers["connection"] == "keep-alive"


def test_a_client_that_closes_before_its_answer_counts_as_a_failure(
    api: Api, connection: socket.socket
) -> None:
    with connection:
        connection.sendall(GET_60000)
        api.stats_when(lambda stats: stats["in_flight"] == 1)

    stats = api.stats_when(lambda stats: stats["in_flight"] == 0)
    assert (stats["calls"], stats["failures"]) == (1, 1)
    assert stats["lateness_ms"]["count"] == 0


def test_a_client_that_resets_before_its_answer_counts_as_a_failure(api: Api) -> None:
    connection = api.connect()
    connection.sendall(GET_60000)
    api.stats_when(lambda stats: stats["in_flight"] == 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()

    stats = api.stats_when(lambda stats: stats["in_flight"] == 0)
    assert (stats["calls"], stats["failures"]) == (1, 1)


def test_a_half_closed_client_counts_as_gone(api: Api) -> None:
    with api.connect() as connection:
        connection.sendall(GET_60000)
        connection.shutdown(socket.SHUT_WR)

        assert is_closed(connection)
        stats = api.stats_when(lambda stats: stats["in_flight"] == 0)
        assert (stats["calls"], stats["failures"]) == (1, 1)


def test_a_second_request_before_the_first_is_answered_is_refused(
    api: Api, connection: socket.socket
) -> None:
    with connection:
        connection.sendall(GET_60000)
        api.stats_when(lambda stats: stats["in_flight"] == 1)
        answer = exchange(connection, GET_5)

        assert answer.status == 400
        assert "do not pipeline" in answer.json["error"]
        assert is_closed(connection)
    stats = api.stats()
    assert (stats["calls"], stats["failures"], stats["in_flight"]) == (1, 1, 0)


def test_two_requests_in_one_packet_are_refused(api: Api) -> None:
    with api.connect() as connection:
        answer = exchange(connection, GET_300 + GET_5)

        assert answer.status == 400
        assert is_closed(connection)
    stats = api.stats()
    assert (stats["calls"], stats["failures"], stats["in_flight"]) == (1, 1, 0)


def test_a_request_that_came_before_is_not_trusted_with_more_behind_it(api: Api) -> None:
    with api.connect() as connection:
        assert exchange(connection, GET_5).status == 200
        answer = exchange(connection, GET_5 + GET_5)

        assert answer.status == 400
        assert is_closed(connection)
    with api.connect() as connection:
        assert exchange(connection, GET_60000.replace(b"60000", b"5") + b"\0").status == 400


def test_a_known_request_is_a_part_of_another_where_it_is_sent_as_one(api: Api) -> None:
    with api.connect() as connection:
        assert exchange(connection, GET_5).status == 200
        connection.sendall(b"POST /-/reset HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(GET_5))
        time.sleep(0.05)

        assert exchange(connection, GET_5).json["calls"] == 1


def test_an_empty_line_between_requests_is_no_request(api: Api) -> None:
    with api.connect() as connection:
        for _ in range(2):
            assert exchange(connection, GET_5 + b"\r\n").status == 200


@pytest.mark.parametrize("size", [1_100_000, 3_000_000])
def test_an_oversized_head_is_refused(connection: socket.socket, size: int) -> None:
    with connection:
        connection.sendall(b"GET /5/ HTTP/1.1\r\nHost: api\r\nCookie: " + b"x" * size)
        answer = receive(connection)

        assert answer.status == 431
        assert is_closed(connection)


def test_an_endless_body_is_refused(api: Api) -> None:
    with api.connect() as connection:
        connection.sendall(b"POST /-/reset HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n")
        connection.sendall(b"x" * 1_100_000)

        assert receive(connection).status == 431


def test_a_body_is_accepted_and_ignored(api: Api) -> None:
    with api.connect() as connection:
        request = b"POST /-/reset HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\n{}"

        assert exchange(connection, request).status == 200
        assert exchange(connection, GET_5).status == 200


@pytest.mark.parametrize(
    "request_line",
    [b"\x16\x03\x01\x02", b"nonsense", b"GET /5/ HTTP/9.9", b"GET", b"PRI * HTTP/2.0\r\n\r\nSM"],
)
def test_what_is_not_http_is_answered_400(api: Api, request_line: bytes) -> None:
    with api.connect() as connection:
        answer = exchange(connection, request_line + b"\r\n\r\n")

        assert answer.status == 400
        assert is_closed(connection)
    assert api.stats()["calls"] == 0


def test_a_wish_for_another_protocol_is_answered_in_this_one(api: Api) -> None:
    with api.connect() as connection:
        upgrade = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
        answer = exchange(connection, b"GET /5/ HTTP/1.1\r\nHost: api\r\n" + upgrade + b"\r\n")

        assert answer.status == 200
        assert is_closed(connection)


def test_a_tunnel_is_refused(api: Api) -> None:
    with api.connect() as connection:
        connection.sendall(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")

        assert receive(connection).status in (400, 404, 405)


def test_a_client_that_reads_no_answers_is_asked_nothing_more(api: Api) -> None:
    (api.my_api / "huge.bin").write_bytes(b"x" * 20_000_000)
    request = b"GET /as/huge.bin/0/ HTTP/1.1\r\nHost: api\r\n\r\n"
    with api.connect() as connection:
        connection.sendall(request)
        api.stats_when(lambda stats: stats["lateness_ms"]["count"] == 1)
        connection.sendall(request)
        time.sleep(0.2)

        assert api.stats()["calls"] == 1
        unread = 2 * 20_000_000
        while unread > 0:
            unread -= len(connection.recv(1_000_000))
    assert api.stats()["calls"] == 2


def test_a_large_answer_is_whole_before_the_connection_closes(connection: socket.socket) -> None:
    with connection:
        head = b"GET /todos/1 HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"

        assert exchange(connection, head).status == 200
        assert is_closed(connection)
