"""A list of answers is played as it is written, and the record says how it went."""

import re
import time
from typing import Any

import pytest
from api import Api, exchange, is_closed

PLAY = b"GET /play/ HTTP/1.1\r\nHost: api\r\n\r\n"
GET_0 = b"GET /0/ HTTP/1.1\r\nHost: api\r\n\r\n"
MS = 1_000_000


def play(api: Api, *answers: dict[str, Any]) -> None:
    told = api.play({"answers": answers})
    assert (told.status, told.json) == (200, {"answers": len(answers)})


def played(api: Api) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = api.get("/-/played").json["answers"]
    return answers


def test_answers_come_in_the_order_of_the_list_on_any_connection(api: Api) -> None:
    play(api, {"ms": 0}, {"ms": 0, "status": 500}, {"ms": 0, "status": 418}, {"ms": 0})
    with api.connect() as connection:
        statuses = [exchange(connection, PLAY).status for _ in range(2)]
    statuses += [api.get("/play/").status for _ in range(2)]

    assert statuses == [200, 500, 418, 200]
    assert [answer["status"] for answer in played(api)] == statuses


def test_a_played_answer_is_never_early_and_its_record_tells_when(api: Api) -> None:
    delays_ms = [40, 62.5, 0, 7.125]
    play(api, *({"ms": ms} for ms in delays_ms))
    for number, delay_ms in enumerate(delays_ms):
        before = time.monotonic_ns()
        answer = api.get("/play/")
        after = time.monotonic_ns()

        record = played(api)[number]
        assert answer.json == {"played": "as planned"}
        assert record["written_ns"] - record["arrived_ns"] >= delay_ms * MS
        assert before <= record["arrived_ns"]
        assert record["written_ns"] <= after


@pytest.mark.parametrize("length", [0, 9, 90])
def test_an_answer_of_so_many_bytes_is_cut_off_there(api: Api, length: int) -> None:
    play(api, {"ms": 5, "bytes": length}, {"ms": 0})
    with api.connect() as connection:
        connection.sendall(PLAY)
        came = b""
        while part := connection.recv(1000):
            came += part

    assert len(came) == length
    assert b"HTTP/1.1 200 OK\r\n".startswith(came[:17])
    assert api.get("/play/").status == 200
    (cut, whole) = played(api)
    assert (cut["bytes"], whole["bytes"]) == (length, None)
    assert cut["written_ns"] - cut["arrived_ns"] >= 5 * MS


def test_beyond_the_list_is_503_and_counted(api: Api) -> None:
    play(api, {"ms": 0})
    assert api.get("/play/").status == 200
    for _ in range(2):
        answer = api.get("/play/")
        assert answer.status == 503
        assert "POST a new one to /-/play" in answer.json["error"]

    document = api.get("/-/played").json
    assert (len(document["answers"]), document["beyond"]) == (1, 2)


def test_a_new_list_begins_a_new_record(api: Api) -> None:
    play(api, {"ms": 0}, {"ms": 0})
    api.get("/play/")
    play(api, {"ms": 0})

    assert api.get("/-/played").json == {"answers": [], "beyond": 0}
    api.get("/play/")
    assert api.get("/play/").status == 503


def test_a_client_that_leaves_has_no_answer_in_the_record(api: Api) -> None:
    play(api, {"ms": 60_000}, {"ms": 0})
    with api.connect() as connection:
        connection.sendall(PLAY)
        api.stats_when(lambda stats: stats["in_flight"] == 1)
    api.stats_when(lambda stats: stats["in_flight"] == 0)
    assert api.get("/play/").status == 200

    (left, answered) = played(api)
    assert (left["written_ns"], answered["written_ns"] is None) == (None, False)


def test_played_answers_are_calls_of_the_statistics(api: Api) -> None:
    play(api, {"ms": 0}, {"ms": 1, "status": 500}, {"ms": 1, "bytes": 0})
    with api.connect() as connection:
        exchange(connection, PLAY)
        exchange(connection, PLAY)
        connection.sendall(PLAY)
        assert is_closed(connection)

    stats = api.stats()
    assert (stats["calls"], stats["failures"], stats["in_flight"]) == (3, 0, 0)
    assert stats["lateness_ms"]["min"] >= 0


def test_other_routes_are_answered_while_a_list_is_played(api: Api) -> None:
    play(api, {"ms": 0})
    with api.connect() as connection:
        assert exchange(connection, GET_0).status == 200
        assert exchange(connection, PLAY).json == {"played": "as planned"}
        assert exchange(connection, GET_0).status == 200
        assert exchange(connection, PLAY).status == 503


def test_a_long_list_is_taken(api: Api) -> None:
    play(api, *({"ms": 1000.123 + number, "status": 200} for number in range(10_000)))


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], r'the list must look like \{"answers": \['),
        ({"answers": {}}, r'the list must look like \{"answers": \['),
        ({"answers": [5]}, r"answers\[0\] must be an object of bytes, ms, status"),
        ({"answers": [{"ms": 1}, {"msec": 1}]}, r"answers\[1\] must be an object of"),
        ({"answers": [{"status": 200}]}, r"answers\[0\]\.ms: the delay 'None' is not a number"),
        ({"answers": [{"ms": 60_001}]}, r"answers\[0\]\.ms: the delay '60001' is not"),
        ({"answers": [{"ms": 1, "status": 99}]}, r"answers\[0\]\.status 99 is not a status"),
        ({"answers": [{"ms": 1, "status": [200]}]}, r"answers\[0\]\.status \[200\] is not a"),
        ({"answers": [{"ms": 1, "status": 204}]}, r"answers\[0\]\.status 204 is not a status"),
        ({"answers": [{"ms": 1, "bytes": -1}]}, r"answers\[0\]\.bytes -1 is not a number from"),
        ({"answers": [{"ms": 1, "bytes": 5000}]}, r"answers\[0\]\.bytes 5000 is not a number"),
    ],
)
def test_a_wrong_list_is_refused_with_its_place_and_the_one_before_stays(
    api: Api, document: Any, sentence: str
) -> None:
    play(api, {"ms": 0})

    answer = api.play(document)

    assert answer.status == 400
    assert re.match(sentence, answer.json["error"])
    assert api.get("/play/").status == 200


def test_what_is_no_json_is_refused(api: Api) -> None:
    with api.connect() as connection:
        request = b"POST /-/play HTTP/1.1\r\nHost: api\r\nContent-Length: 4\r\n\r\n{no}"
        answer = exchange(connection, request)

    assert answer.status == 400
    assert answer.json["error"].startswith("the list is not JSON: ")
