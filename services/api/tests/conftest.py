"""The API that the tests talk to: one process for all of them, counters at zero for each."""

from collections.abc import Iterator

import hypothesis
import pytest
from api import Api, running_api

# No database of examples: the container's file system is read-only. No deadline: machines are busy.
hypothesis.settings.register_profile("lab", database=None, deadline=None)
hypothesis.settings.load_profile("lab")


@pytest.fixture(scope="session")
def one_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(tmp_path_factory.mktemp("api")) as api:
        yield api


@pytest.fixture
def api(one_api: Api) -> Api:
    one_api.stats_when(lambda stats: stats["in_flight"] == 0)
    one_api.reset()
    return one_api
