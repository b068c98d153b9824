"""Throughput beside the ceilings that it could not pass."""

import pytest

from loadgen.documents.document import Figure
from loadgen.suites.suite import Published
from loadgen.topics import throughput
from tests.findings.test_comparisons import rows
from tests.make import a_case, a_suite
from tests.shown import a_group


@pytest.mark.parametrize(("metric", "may_lie_above"), [("max_rps", True), ("rps", False)])
def test_that_the_best_ten_seconds_may_lie_above_the_ceilings_is_said_where_they_are_drawn(
    metric: str, may_lie_above: bool
) -> None:
    case = a_case(server="uvicorn")
    published = (Published({"server": "uvicorn"}, {metric: 115.0}),)
    suite = a_suite(cases=(case,), published=published)
    _, group = a_group(suite, rows(case, {"rps": 80.0, "max_rps": 98.0}))
    (figure,) = throughput.blocks(group)
    assert isinstance(figure, Figure)
    assert ("The best 10 s may lie above them" in str(figure.caption)) == may_lie_above
