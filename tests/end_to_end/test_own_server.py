"""A reader's own server, which no launcher of the lab starts, beside one of the lab's."""

from collections.abc import Iterator

import pytest

from end_to_end.conftest import Compose, Finished, ScratchLab
from runs import Row, Run, folder_in


@pytest.fixture(scope="module")
def finished(compose: Compose, scratch_lab: ScratchLab) -> Iterator[Finished]:
    """A run of two servers, of which the lab starts one."""
    up = compose(*scratch_lab.files, "up", "--detach", "--no-deps", "foreign")
    assert up.returncode == 0, up.stderr
    done = compose("run", "--rm", "-T", *scratch_lab.mounts, "loadgen", "run", "foreign")
    assert done.returncode == 0, done.stdout + done.stderr
    yield Finished(done, Run(scratch_lab.results / folder_in(done.stdout)))
    compose(*scratch_lab.files, "rm", "--force", "--stop", "foreign")


@pytest.fixture(scope="module")
def foreign(finished: Finished) -> Row:
    """The row of the server that the lab did not start."""
    (row,) = [row for row in finished.run.rows if row["server"] == "foreign"]
    return row


@pytest.fixture(scope="module")
def ours(finished: Finished) -> Row:
    """The row of the other one."""
    (row,) = [row for row in finished.run.rows if row["server"] == "uvicorn"]
    return row


def test_it_is_measured_at_the_page_that_its_labels_name(foreign: Row) -> None:
    assert (foreign["outcome"], foreign["failures"]) == ("measured", "0")
    assert foreign["title"] == "A project of somebody's own"
    assert foreign["case"] == "foreign_own_2u"
    assert float(foreign["rps"]) > 0
    # The suite asks for views of 50 ms; its page takes 100.
    assert float(foreign["min_ms"]) >= 100


def test_its_ceiling_is_by_its_declared_service_time(foreign: Row, ours: Row) -> None:
    assert (foreign["service_time_ms"], foreign["users_ceiling_rps"]) == ("100", "20")
    assert (ours["service_time_ms"], ours["users_ceiling_rps"]) == ("50", "40")


def test_what_is_not_known_of_it_is_empty(foreign: Row, ours: Row) -> None:
    axes = ("settings", "view", "workload", "http_client", "upstream", "delays_ms", "cpu_ms")
    counters = ("app_cpu_seconds", "app_cpu_ms_per_view", "app_pss_mib", "calibration_ms")
    for name in (*axes, *counters, "cpu_ceiling_rps"):
        assert foreign[name] == "", name
        assert ours[name] != "", name


def test_it_says_that_it_is_not_fresh(foreign: Row, ours: Row, finished: Finished) -> None:
    assert "not-fresh" in foreign["caveats"].split()
    assert "not-fresh" not in ours["caveats"].split()
    assert "not-fresh (foreign): " in finished.done.stdout


def test_a_suite_says_which_of_its_axes_are_not_for_it(finished: Finished) -> None:
    words = "left out of foreign: delays_ms, workload, http_client of foreign: its view is that of"
    assert words in finished.done.stdout


def test_environment_json_has_its_address_instead_of_a_command(finished: Finished) -> None:
    environment = finished.run.environment

    assert environment["servers"]["foreign"] == {
        "command": None,
        "url": "http://foreign:8765/async/single/no-http/?delays_ms=100",
    }
    assert environment["servers"]["uvicorn"]["command"][0] == "uvicorn"
    assert environment["idle"]["launchers"] == 1
