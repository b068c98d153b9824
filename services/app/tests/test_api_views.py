"""The upstream `django` in a whole Django, without lifespan, as its server runs it."""

import pytest
from test_views import SETTINGS, Page, get

from consumer.countries import COUNTRIES


def ask(*paths: str, settings: str = "article") -> list[Page]:
    return get(paths, upstream="", interface="api", settings=settings)


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_answers_with_a_country_and_never_early(settings: str) -> None:
    paths = ["/60/", "/62.5/", "/0/"]
    pages = ask(*paths, settings=settings)
    for page, ms in zip(pages, (60, 62.5, 0), strict=True):
        assert page.status == 200
        assert page.json() in COUNTRIES
        assert page.wall_ms >= ms


def test_it_answers_with_the_document_that_was_asked_for() -> None:
    soon, late = ask("/todos/1", "/todos/7?ms=60")
    title = "delectus aut autem"
    assert soon.json() == {"userId": 1, "id": 1, "title": title, "completed": False}
    assert late.json()["id"] == 7
    assert late.wall_ms >= 60


def test_its_answers_differ() -> None:
    assert len({page.json()["name"] for page in ask(*["/0/"] * 40)}) > 5


@pytest.mark.parametrize("path", ["/soon/", "/-1/", "/60001/", "/nan/", "/todos/1?ms=x"])
def test_a_bad_delay_is_refused_with_what_would_be_one(path: str) -> None:
    (page,) = ask(path)
    assert page.status == 400
    assert "0 to 60000" in page.json()["error"]


@pytest.mark.parametrize("path", ["/", "/todos/x?ms=1", "/sync/fanout/no-http/", "/1"])
def test_what_is_not_of_the_api_is_not_found(path: str) -> None:
    (page,) = ask(path)
    assert page.status == 404
    assert "/{ms}/" in page.json()["error"]
