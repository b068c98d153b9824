"""Where a case's requests go, and what a right answer looks like."""

from urllib.parse import parse_qs, urlsplit

import pytest

from loadgen.drivers.target import calls_per_view, path_of, target_of
from loadgen.errors import ConfigurationError
from tests.make import a_case, a_case_of_a_page, a_page, a_server


def test_the_path_names_view_workload_client_and_delays() -> None:
    assert path_of(a_case()) == (
        "/async/fanout/httpx-per-request/?delays_ms=300,600,150&upstream=http"
    )


def test_cpu_time_is_asked_for_where_there_is_some() -> None:
    query = parse_qs(urlsplit(path_of(a_case(cpu_ms=2.5, delays_ms=(62.5,)))).query)
    assert query == {"delays_ms": ["62.5"], "upstream": ["http"], "cpu_ms": ["2.5"]}


def test_a_target_is_an_address_not_a_name() -> None:
    target = target_of(a_case(), a_server(name="localhost"))
    assert target.url == "http://127.0.0.1:8000" + path_of(a_case())
    assert target.launcher == "http://127.0.0.1:9100"


def test_the_service_time_is_the_longest_delay() -> None:
    target = target_of(a_case(), a_server(name="localhost"))
    assert target.service_time_s == 0.6


def test_calls_one_after_the_other_take_the_sum_of_their_delays() -> None:
    case = a_case(workload="serial")
    assert target_of(case, a_server(name="localhost")).service_time_s == 1.05
    assert path_of(case).startswith("/async/serial/httpx-per-request/?delays_ms=300,600,150&")
    assert calls_per_view(case) == 3


def test_a_view_without_http_makes_no_calls() -> None:
    assert calls_per_view(a_case(http_client="no-http")) == 0
    assert calls_per_view(a_case()) == 3


@pytest.mark.parametrize(
    ("workload", "text"),
    [
        ("fanout", 'id="country"'),
        ("serial", 'id="country"'),
        ("single", "delectus aut autem"),
    ],
)
def test_a_right_answer_is_known_by_its_text(workload: str, text: str) -> None:
    target = target_of(a_case(workload=workload), a_server(name="localhost"))
    assert target.expected_text == text


def test_a_server_that_is_not_up_is_named_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match=r"docker compose up -d nobody\.invalid"):
        target_of(a_case(), a_server(name="nobody.invalid"))


def test_a_page_of_its_own_is_asked_as_its_labels_say() -> None:
    server = a_server(name="mine", page=a_page(host="localhost", port=8080, service_time_s=0.4))
    target = target_of(a_case_of_a_page(), server)
    assert target.url == "http://127.0.0.1:8080/report/?year=2026"
    assert (target.expected_text, target.service_time_s) == ("Quarterly report", 0.4)
    assert target.launcher is None


def test_the_launcher_of_a_page_is_in_its_servers_container() -> None:
    page = a_page(host="127.0.0.7", launcher=True)
    target = target_of(a_case_of_a_page(), a_server(name="localhost", page=page))
    assert target.origin == "http://127.0.0.7:8000"
    assert target.launcher == "http://127.0.0.1:9100"


def test_a_server_whose_page_is_nowhere_is_named_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError, match="docker compose up -d mine"):
        target_of(a_case_of_a_page(), a_server(name="mine", page=a_page(host="nobody.invalid")))
