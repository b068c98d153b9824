"""The laws of the report's sliders, in a browser, against the same laws in Python."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from lab import ROOT

LOADGEN = ROOT / "services/loadgen"
LAWS = LOADGEN / "src/loadgen/report/templates/predict_laws.js"
POINTS = json.loads((LOADGEN / "tests/prediction_points.json").read_text())


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page that knows the laws."""
    chromium = shutil.which("chromium")
    assert chromium, "the tests' image has Debian's chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(content=LAWS.read_text())
        yield page
        browser.close()


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
