"""The commands of loadgen, as `docker compose run --rm loadgen …` gives them."""

import subprocess
from collections.abc import Callable

Compose = Callable[..., subprocess.CompletedProcess[str]]


def test_list_names_the_suites_of_both_articles(compose: Compose) -> None:
    done = compose("run", "--rm", "-T", "loadgen", "list")

    assert done.returncode == 0, done.stderr
    assert {"article-a", "article-b", "articles", "smoke"} <= set(done.stdout.split())


def test_an_unknown_suite_is_wrong_usage(compose: Compose) -> None:
    done = compose("run", "--rm", "-T", "loadgen", "run", "no-such-suite")

    assert done.returncode == 2, done.stderr
    assert "no-such-suite" in done.stdout + done.stderr
