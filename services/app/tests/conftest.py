"""What the tests share: an upstream of their own."""

from collections.abc import Iterator

import pytest
from upstream_stand_in import Upstream


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A real HTTP server in threads of this process, which remembers what it saw."""
    with Upstream() as server:
        yield server
