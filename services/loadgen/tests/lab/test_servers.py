"""compose.yaml and compose.override.yaml declare the servers."""

from pathlib import Path

import pytest
import yaml

from loadgen.errors import ConfigurationError
from loadgen.lab.servers import LABELS, REQUIRED, Page, Server, read_servers

OWN = """
services:
  mine:
    labels: {lab.title: Mine, lab.interface: wsgi, lab.concurrency: threads, lab.processes: 2}
"""


def override(project: Path, text: str) -> dict[str, Server]:
    (project / "compose.override.yaml").write_text(text)
    return read_servers(project)


def declared(tmp_path: Path, **labels: str) -> Server:
    """The server `mine` with its labels as given, `lab.` left out."""
    right = {"title": "Mine", "interface": "wsgi", "concurrency": "threads", "processes": "2"}
    lines = [f"      lab.{key}: {text!r}" for key, text in {**right, **labels}.items()]
    document = ["services:", "  mine:", "    labels:", *lines]
    (tmp_path / "compose.yaml").write_text("\n".join(document))
    return read_servers(tmp_path)["mine"]


def test_services_with_labels_are_servers_in_their_order(project: Path) -> None:
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    titled = [name for name, one in services.items() if "lab.title" in str(one.get("labels"))]
    assert list(read_servers(project)) == titled
    assert titled[0] == "uwsgi-2-threads"


def test_labels_come_through_anchors(project: Path) -> None:
    assert read_servers(project)["uwsgi-100-threads"] == Server(
        name="uwsgi-100-threads",
        title="uWSGI, 1 process, 100 threads",
        interface="wsgi",
        concurrency="threads",
        processes=1,
        slots=100,
        many_cpus=True,
        has_spare=True,
    )


def test_labels_may_be_a_list(project: Path) -> None:
    server = read_servers(project)["gunicorn-100-threads"]
    assert (server.title, server.slots) == ("Gunicorn, 1 process, 100 threads", 100)


def test_no_slots_label_means_unbounded(project: Path) -> None:
    assert read_servers(project)["uvicorn"].slots is None


def test_the_native_view_follows_the_interface(project: Path) -> None:
    servers = read_servers(project)
    assert servers["uvicorn"].default_view == "async"
    assert servers["gunicorn-gevent"].default_view == "sync"


def test_an_override_adds_a_server(project: Path) -> None:
    assert override(project, OWN)["mine"].processes == 2


def test_an_override_changes_single_labels_of_a_server(project: Path) -> None:
    text = 'services: {uvicorn: {labels: {lab.processes: "3"}}}'
    changed = override(project, text)["uvicorn"]
    assert (changed.processes, changed.title) == (3, "Uvicorn, 1 process, async")


def test_an_extending_server_inherits_labels_and_may_change_them(project: Path) -> None:
    servers = override(
        project,
        """
        services:
          mine:
            extends: {file: compose.yaml, service: gunicorn-4x10}
            labels: [lab.title=Mine, lab.slots=80]
        """,
    )
    assert servers["mine"] == Server("mine", "Mine", "wsgi", "threads", 4, 80)


def test_extending_compose_yaml_ignores_what_the_override_makes_of_that_service(
    project: Path,
) -> None:
    servers = override(
        project,
        """
        services:
          uvicorn: {labels: {lab.title: Changed}}
          mine: {extends: {file: compose.yaml, service: uvicorn}}
        """,
    )
    assert servers["mine"].title == "Uvicorn, 1 process, async"


def test_labels_are_inherited_over_several_steps(project: Path) -> None:
    servers = override(
        project,
        """
        services:
          mine: {extends: {file: compose.yaml, service: uvicorn}, labels: {lab.title: Mine}}
          yours: {extends: {service: mine}, labels: {lab.processes: 2}}
          theirs: {extends: yours, labels: {lab.slots: 7}}
        """,
    )
    assert servers["theirs"] == Server("theirs", "Mine", "asgi", "asyncio", 2, 7)


def test_extending_what_is_not_there_names_both(project: Path) -> None:
    text = "services: {mine: {extends: {file: compose.yaml, service: nobody}}}"
    with pytest.raises(ConfigurationError, match="service mine extends 'nobody'"):
        override(project, text)


def test_the_tags_of_compose_are_understood(project: Path) -> None:
    text = """
    services:
      uvicorn: {ports: !reset null, command: !override [serve], environment: !override {A: b}}
    """
    assert override(project, text)["uvicorn"].title == "Uvicorn, 1 process, async"


def test_a_service_with_other_labels_only_is_no_server(project: Path) -> None:
    assert "api" not in read_servers(project)


@pytest.mark.parametrize("label", REQUIRED)
def test_a_missing_label_is_named_with_what_it_takes(tmp_path: Path, label: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        declared(tmp_path, **{label.removeprefix("lab."): ""})
    assert str(error.value) == f"service mine, label {label} is missing: {LABELS[label]}"


@pytest.mark.parametrize(
    ("label", "text", "allowed"),
    [
        ("interface", "http", "wsgi, asgi"),
        ("concurrency", "fibers", "threads, gevent, asyncio"),
        ("processes", "0", "a whole number from 1"),
        ("processes", "two", "a whole number from 1"),
        ("slots", "-1", "a whole number from 1"),
        ("slots", "1.5", "a whole number from 1"),
    ],
)
def test_a_wrong_label_is_named_with_service_value_and_allowed_values(
    tmp_path: Path, label: str, text: str, allowed: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        declared(tmp_path, **{label: text})
    message = str(error.value)
    assert message.startswith(f"service mine, label lab.{label} is {text!r}; allowed: ")
    assert allowed in message


PAGE = {"url": "http://mine:8000/report/?year=2026", "service_time_ms": "400"}


def test_a_server_has_no_page_of_its_own_unless_it_says_so(tmp_path: Path) -> None:
    assert declared(tmp_path).page is None


def test_a_page_is_what_its_labels_say(tmp_path: Path) -> None:
    page = declared(tmp_path, **PAGE, expect="Quarterly report").page
    assert page is not None
    assert page == Page("mine", 8000, "/report/?year=2026", "Quarterly report", 0.4)
    assert page.url == PAGE["url"]


def test_a_server_with_a_page_is_always_on_unless_the_labs_launcher_runs_it(tmp_path: Path) -> None:
    assert not declared(tmp_path).always_on
    assert declared(tmp_path, **PAGE).always_on
    assert not declared(tmp_path, **PAGE, launcher="yes").always_on


def test_a_page_may_be_on_port_80_of_another_host_and_any_answer_right(tmp_path: Path) -> None:
    page = declared(tmp_path, url="http://10.0.0.7/", service_time_ms="62.5").page
    assert page == Page("10.0.0.7", 80, "/", "", 0.0625)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("url", "https://mine:8000/report/"),
        ("url", "mine:8000/report/"),
        ("url", "http://mine:8000"),
        ("url", "http://mine:0/"),
        ("url", "http://mine:65536/"),
        ("url", "http://mine:port/"),
        ("url", "http:///report/"),
        ("url", "http://me@mine/report/"),
        ("url", "http://mine/quarterly report/"),
        ("url", "http://mine/report/#top"),
        ("url", "http://mine/übersicht/"),
        ("service_time_ms", "0"),
        ("service_time_ms", "-400"),
        ("service_time_ms", "400 ms"),
        ("service_time_ms", "nan"),
        ("service_time_ms", "60001"),
        ("launcher", "no"),
        ("launcher", "True"),
    ],
)
def test_a_wrong_label_of_a_page_is_named_with_what_is_allowed(
    tmp_path: Path, label: str, text: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        declared(tmp_path, **PAGE | {label: text})
    allowed = LABELS[f"lab.{label}"]
    assert str(error.value) == f"service mine, label lab.{label} is {text!r}; allowed: {allowed}"


def test_a_page_without_a_service_time_has_no_ceiling_and_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"label lab\.service_time_ms is missing: a num"):
        declared(tmp_path, url="http://mine:8000/")


@pytest.mark.parametrize("label", ["expect", "service_time_ms", "launcher"])
def test_what_is_said_of_no_page_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"lab\.{label} goes with lab\.url, which is miss"
    ):
        declared(tmp_path, **{label: "400"})


def test_an_unknown_label_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        declared(tmp_path, thread="4")
    assert str(error.value).startswith("service mine, label lab.thread is unknown; ")
    assert all(label in str(error.value) for label in LABELS)


def test_labels_of_another_shape_are_refused(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {mine: {labels: lab.title}}")
    with pytest.raises(ConfigurationError, match="service mine: labels must be"):
        read_servers(tmp_path)


def test_a_missing_file_says_what_to_mount(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"compose.yaml is missing.*Mount the project"):
        read_servers(tmp_path)


def test_what_is_no_yaml_is_named_with_its_place_and_shown(project: Path) -> None:
    shown = r"(?s)compose.override.yaml is not.*line 1.*services: \[\n +\^"
    with pytest.raises(ConfigurationError, match=shown):
        override(project, "services: [")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"services: {}  # caf\xe9", r"compose\.override\.yaml is not UTF-8 \(.*\): save it as"),
        ("services: {}".encode("utf-16"), r"compose\.override\.yaml is not UTF-8"),
        (b"services: [mine]", r"compose\.override\.yaml: services must be a mapping"),
        (b"services: {mine: [uvicorn]}", r"service mine: must be a mapping"),
        (b"services: {mine: {labels: [3]}}", r"service mine: labels must be a mapping or a list"),
        (b"services: {mine: {extends: [uvicorn]}}", r"service mine: extends must be a service"),
        (b"services: {mine: {extends: {file: a}}}", r"service mine: extends must be a service"),
        (b"services: {mine: {extends: mine}}", r"service mine extends itself"),
        (b"services: {a: {extends: b}, b: {extends: a}}", r"service a extends itself, through b"),
        (b"services: {mine: {a: 2026-13-45}}", r"compose\.override\.yaml is not valid YAML: month"),
        (b"- services", r"compose\.override\.yaml: must be a mapping with services"),
    ],
)
def test_an_override_that_no_server_can_be_read_from_is_refused_in_a_sentence(
    project: Path, content: bytes, sentence: str
) -> None:
    (project / "compose.override.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=sentence) as error:
        read_servers(project)
    assert "\n" not in str(error.value)


def test_an_override_that_is_no_file_is_refused_in_a_sentence(project: Path) -> None:
    (project / "compose.override.yaml").mkdir()
    with pytest.raises(ConfigurationError, match=r"yaml cannot be read \(Is a directory\)"):
        read_servers(project)


@pytest.mark.parametrize("text", ["", "services:", "x-note: nothing yet"])
def test_an_override_that_declares_nothing_is_fine(project: Path, text: str) -> None:
    assert list(override(project, text)) == list(read_servers(project))
