"""The commands of loadgen, as `docker compose run --rm loadgen …` gives them."""

import re

from commands.conftest import Loadgen
from lab import ROOT


def designed_s(output: str) -> int:
    """Seconds of `about 1 min 12 s`, which a run says before it starts."""
    found = re.search(r"about (?:(\d+) min )?(\d+) s", output)
    assert found, output
    return 60 * int(found[1] or 0) + int(found[2])


def test_list_names_every_suite_so_all_can_be_planned(loadgen: Loadgen) -> None:
    done = loadgen("list")

    assert done.returncode == 0, done.stderr
    suites = {file.stem for file in (ROOT / "services/loadgen/suites").glob("*.toml")}
    assert suites <= set(done.stdout.split())


def test_axes_of_the_cases_can_be_set(loadgen: Loadgen) -> None:
    axes = ("--users", "50", "--delays-ms", "800,400", "--server", "uvicorn")
    done = loadgen("run", "clients", *axes, "--rounds", "1", "--dry-run")

    assert done.returncode == 0, done.stderr
    listed = [line for line in done.stdout.splitlines() if line.endswith(".r1")]
    assert listed
    assert all("_800+400ms_own_50u" in line for line in listed)
    assert all("uvicorn_" in line for line in listed)


def test_quick_is_designed_to_take_no_more_than_4_minutes(loadgen: Loadgen) -> None:
    for delays_ms in ("800,400", "1500"):
        done = loadgen("quick", "--delays-ms", delays_ms, "--users", "200", "--dry-run")

        assert done.returncode == 0, done.stderr
        assert len(re.findall(r"\.r[123]$", done.stdout, re.MULTILINE)) == 6
        assert designed_s(done.stdout) <= 225


def test_an_axis_with_a_wrong_value_is_wrong_usage(loadgen: Loadgen) -> None:
    done = loadgen("run", "clients", "--http-client", "curl")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "--http-client: unknown 'curl'; known: no-http, " in done.stderr


def test_an_unknown_suite_is_wrong_usage_and_the_known_ones_are_listed(loadgen: Loadgen) -> None:
    done = loadgen("run", "nonsense")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "'nonsense'" in done.stderr
    assert "article-a" in done.stderr
    assert "smoke" in done.stderr
    assert "Traceback" not in done.stderr


def test_servers_that_match_none_are_wrong_usage(loadgen: Loadgen) -> None:
    done = loadgen("run", "smoke", "--servers", "nonsense")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "--servers" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_wrong_usage(loadgen: Loadgen) -> None:
    assert loadgen("run", "smoke", "--nonsense").returncode == 2


def test_both_articles_are_three_rounds_of_twelve_trials(loadgen: Loadgen) -> None:
    done = loadgen("run", "articles", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "articles: 36 trials" in done.stdout
    for number in (1, 2, 3):
        assert len(re.findall(rf"\.r{number}$", done.stdout, re.MULTILINE)) == 12


def test_smoke_is_designed_to_take_no_more_than_two_minutes(loadgen: Loadgen) -> None:
    done = loadgen("run", "smoke", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert designed_s(done.stdout) <= 120
