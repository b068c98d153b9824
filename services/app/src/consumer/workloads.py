"""What a view does: which upstream calls it makes, and what it makes of their answers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from consumer.errors import BadParameterError, UpstreamError
from consumer.http_clients import Answer, Call, InTurn, limits
from consumer.parameters import DELAY_MAX_MS

TEMPLATE = "country.html"

_COUNTRY = {"name": "Netherlands", "alpha_2": "NL", "alpha_3": "NLD", "flag": "🇳🇱"}
_TODO = {"userId": 1, "id": 1, "title": "delectus aut autem", "completed": False}


@dataclass(frozen=True)
class Workload:
    """One kind of work.

    Attributes:
        delays_ms: The default of the parameter.
        calls: (base URL, delays) → the upstream calls.
        respond: (request, the calls, their answers in the same order) → the page.
    """

    delays_ms: str
    calls: Callable[[str, Sequence[str]], Sequence[Call]]
    respond: Callable[[HttpRequest, Sequence[Call], Sequence[Answer]], HttpResponse]


def _fanout_calls(base: str, delays_ms: Sequence[str]) -> list[Call]:
    return _country_calls(base, delays_ms, service_time_ms=max(map(float, delays_ms)))


def _serial_calls(base: str, delays_ms: Sequence[str]) -> InTurn:
    service_time_ms = sum(map(float, delays_ms))
    if service_time_ms > DELAY_MAX_MS:
        raise BadParameterError(
            f"delays_ms adds up to {service_time_ms:g}: at most {DELAY_MAX_MS} are allowed in all, "
            "since the calls are made one after the other"
        )
    return InTurn(_country_calls(base, delays_ms, service_time_ms))


def _country_calls(base: str, delays_ms: Sequence[str], service_time_ms: float) -> list[Call]:
    example = json.dumps(_COUNTRY).encode()
    timeout_s = limits.timeout_s(service_time_ms)
    return [Call(f"{base}/{ms}/", float(ms), timeout_s, example) for ms in delays_ms]


def _country_page(
    request: HttpRequest, calls: Sequence[Call], answers: Sequence[Answer]
) -> HttpResponse:
    countries = [
        _document(call, answer, "name") for call, answer in zip(calls, answers, strict=True)
    ]
    return render(request, TEMPLATE, {"country": countries[0]})


def _single_calls(base: str, delays_ms: Sequence[str]) -> list[Call]:
    if len(delays_ms) != 1:
        raise BadParameterError(
            f"delays_ms has {len(delays_ms)} delays: give one, as workload single makes one call"
        )
    (ms,) = delays_ms
    example = json.dumps(_TODO).encode()
    return [Call(f"{base}/todos/1?ms={ms}", float(ms), limits.timeout_s(float(ms)), example)]


def _single_page(
    request: HttpRequest,  # noqa: ARG001  (a workload's interface)
    calls: Sequence[Call],
    answers: Sequence[Answer],
) -> HttpResponse:
    return JsonResponse(_document(calls[0], answers[0], "title"))


def _document(call: Call, answer: Answer, member: str) -> dict[str, Any]:
    """The JSON object in `answer`, which must be a 200 that has `member`."""
    if answer.status != 200:
        raise UpstreamError(f"{call.url} was answered with status {answer.status}")
    try:
        document = json.loads(answer.body)
    except ValueError as error:
        raise UpstreamError(f"{call.url} gave an answer that is not JSON: {error}") from error
    if not isinstance(document, dict) or member not in document:
        raise UpstreamError(f"{call.url} gave JSON, but not an object that has {member!r}")
    return document


WORKLOADS = {
    "fanout": Workload("300,600,150", _fanout_calls, _country_page),
    "serial": Workload("300,600,150", _serial_calls, _country_page),
    "single": Workload("400", _single_calls, _single_page),
}
