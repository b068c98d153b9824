"""What right answers and refusals of the app look like."""

from typing import Any

import httpx

TODO = {"userId": 1, "id": 1, "title": "delectus aut autem", "completed": False}


def is_right(answer: httpx.Response, workload: str) -> None:
    """A right answer of that workload, with its length."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Length"] == str(len(answer.content))
    if workload in ("fanout", "serial"):
        assert answer.headers["Content-Type"].startswith("text/html")
        assert 'id="country"' in answer.text
    else:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == TODO


def is_refusal(answer: httpx.Response, status: int) -> dict[str, Any]:
    """A small JSON object that says what is wrong, and never how the code got there."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert len(answer.content) < 1000
    assert "Traceback" not in answer.text
    document: dict[str, Any] = answer.json()
    assert document["error"]
    return document
