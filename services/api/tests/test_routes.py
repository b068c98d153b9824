"""What the API answers to which request."""

import json
import os
import re

import pycountry
import pytest
from api import Api


def test_a_delay_route_answers_a_country_with_its_names_and_flag(api: Api) -> None:
    answer = api.get("/5/")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    country = pycountry.countries.get(alpha_2=answer.json["alpha_2"])
    assert country is not None
    assert answer.json == {
        "name": country.name,
        "alpha_2": country.alpha_2,
        "alpha_3": country.alpha_3,
        "flag": country.flag,
    }


def test_countries_are_random(api: Api) -> None:
    assert len({api.get("/0/").body for _ in range(30)}) > 5


def test_a_todo_is_the_document_of_article_b(api: Api) -> None:
    document = {"userId": 1, "id": 7, "title": "delectus aut autem", "completed": False}

    assert api.get("/todos/7").json == document
    assert api.get("/todos/7?ms=1.5").json == document


def test_a_recorded_answer_has_the_content_and_type_of_its_file(api: Api) -> None:
    (api.my_api / "cart.json").write_text('{"items": []}')
    (api.my_api / "note.txt").write_text("grüße")
    (api.my_api / "thing.unknown-ending").write_bytes(b"\x00\xff")

    cart, note = api.get("/as/cart.json/1/"), api.get("/as/note.txt/1/")
    thing = api.get("/as/thing.unknown-ending/1/")

    assert (cart.status, cart.json) == (200, {"items": []})
    assert cart.headers["content-type"] == "application/json"
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert note.body.decode() == "grüße"
    assert thing.headers["content-type"] == "application/octet-stream"
    assert thing.body == b"\x00\xff"


def test_a_recorded_answer_is_read_once_until_the_reset(api: Api) -> None:
    file = api.my_api / "price.json"
    file.write_text("1")
    assert api.get("/as/price.json/0/").json == 1

    file.write_text("2")

    assert api.get("/as/price.json/0/").json == 1
    assert api.get("/as/price.json/0.5/").json == 1
    api.reset()
    assert api.get("/as/price.json/0/").json == 2


def test_a_large_recorded_answer_arrives_whole(api: Api) -> None:
    content = os.urandom(3_000_000)
    (api.my_api / "large.bin").write_bytes(content)

    assert api.get("/as/large.bin/1/").body == content


def test_a_missing_recorded_answer_is_named_with_its_folder(api: Api) -> None:
    (api.my_api / "folder").mkdir(exist_ok=True)

    for name in ("missing.json", "folder"):
        answer = api.get(f"/as/{name}/1/")

        assert answer.status == 404
        assert name in answer.json["error"]
        assert "my-api" in answer.json["error"]


def test_a_recorded_answer_whose_name_no_file_can_have_is_missing(api: Api) -> None:
    (api.my_api / "ring.json").symlink_to("ring.json")

    for name in ("a" * 300, "a" * 5000, "ring.json"):
        answer = api.get(f"/as/{name}/1/")

        assert answer.status == 404
        assert name[:80] in answer.json["error"]
    assert api.get("/1/").status == 200


@pytest.mark.parametrize("name", ["..", ".hidden", "..%2Flab-ca.pem", "a%2Fb", "a%00", "ä.json"])
def test_a_recorded_answer_is_never_looked_for_outside_its_folder(api: Api, name: str) -> None:
    answer = api.get(f"/as/{name.replace('ä', '%C3%A4')}/1/")

    assert answer.status == 404
    assert "cannot be a recorded answer" in answer.json["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/abc/",
        "/-5/",
        "/60001/",
        "/60000.001/",
        "/nan/",
        "/1e3/",
        "/%C2%B2/",
        "/0x10/",
        "/1_000/",
        "/todos/1?ms=",
        "/todos/1?ms=-1",
        "/as/cart.json/x/",
        f"/{'9' * 5000}/",
    ],
)
def test_a_bad_delay_is_answered_400_and_says_what_would_be_right(api: Api, path: str) -> None:
    answer = api.get(path)

    assert answer.status == 400
    assert re.search(r"the delay '.*' is not a number .* from 0 to 60000", answer.json["error"])


@pytest.mark.parametrize(
    "path", ["/", "/5", "/5/6/", "/todos/1/", "/as/x/", "/-/", "/-/other", "/favicon.ico", "//"]
)
def test_another_path_is_answered_404_and_lists_the_known_ones(api: Api, path: str) -> None:
    answer = api.get(path)

    assert answer.status == 404
    assert "/todos/{id}?ms=" in answer.json["error"]


def test_a_todo_without_a_number_is_answered_404(api: Api) -> None:
    assert api.get("/todos/first").status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/5/", "GET"),
        ("PUT", "/todos/1", "GET"),
        ("DELETE", "/as/cart.json/5/", "GET"),
        ("POST", "/-/stats", "GET"),
        ("DELETE", "/-/reset", "GET, POST"),
        ("POST", "/play/", "GET"),
        ("GET", "/-/play", "POST"),
        ("POST", "/-/played", "GET"),
    ],
)
def test_another_method_is_answered_405(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.get(path, method)

    assert answer.status == 405
    assert answer.headers["allow"] == allowed
    assert "error" in answer.json


def test_an_answer_to_head_has_no_body(api: Api) -> None:
    answer = api.get("/5/", "HEAD")

    assert (answer.status, answer.body) == (405, b"")
    assert int(answer.headers["content-length"]) > 0


def test_percent_encoded_paths_and_queries_mean_what_they_encode(api: Api) -> None:
    (api.my_api / "a_b.json").write_text("true")

    assert api.get("/%35/").status == 200
    assert api.get("/todos/%31?m%73=%32").json["id"] == 1
    assert api.get("/as/a%5Fb.json/1/").json is True


def test_every_answer_says_its_length(api: Api) -> None:
    for path in ("/1/", "/bad/", "/todos/1", "/-/stats", "/other"):
        answer = api.get(path)

        assert int(answer.headers["content-length"]) == len(answer.body)
        json.loads(answer.body)
