"""The laws of the report's sliders, in a browser, against the same laws in Python."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from chromium import chromium
from lab import ROOT

LOADGEN = ROOT / "services/loadgen"
LAWS = LOADGEN / "src/loadgen/documents/templates/predict_laws.js"
POINTS = json.loads((LOADGEN / "tests/prediction_points.json").read_text())


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page that knows the laws."""
    with chromium() as browser:
        page = browser.new_page()
        page.add_script_tag(content=LAWS.read_text())
        yield page


def test_the_script_agrees_with_python_on_200_points(page: Page) -> None:
    said: list[dict[str, Any]] = page.evaluate(
        """({stacks, points}) => points.map(({stack, users, service_s, cpus}) =>
            predictionLaws.predict(stacks[stack], users, service_s, cpus))""",
        POINTS,
    )

    assert len(said) == 200
    for asked, answer in zip(POINTS["points"], said, strict=True):
        assert answer == {
            name: pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            for name, value in asked["answer"].items()
        }, asked
