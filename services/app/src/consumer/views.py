"""The views: read the parameters, let the HTTP client call the upstream, answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from consumer import cpu, http_clients, parameters, planted
from consumer.errors import NotUsableHereError, ViewError
from consumer.http_clients import Answer, Call
from consumer.workloads import WORKLOADS, Workload


def sync_view(
    request: HttpRequest, workload: str, http_client: str, upstream: str = "http"
) -> HttpResponse:
    try:
        fetch = http_clients.sync_fetch(http_client)
        task = _read(request, workload, upstream)
        answers = fetch(task.calls)
        planted.wait()
        return _answer(request, task, answers)
    except ViewError as error:
        return _refusal(error)


async def async_view(
    request: HttpRequest, workload: str, http_client: str, upstream: str = "http"
) -> HttpResponse:
    try:
        fetch = http_clients.async_fetch(http_client)
        task = _read(request, workload, upstream)
        answers = await fetch(task.calls)
        await planted.wait_async()
        return _answer(request, task, answers)
    except ViewError as error:
        return _refusal(error)


def no_async_view(request: HttpRequest, **route: str) -> HttpResponse:  # noqa: ARG001
    """In the place of async_view under gevent, where asyncio's loops get into each other's way."""
    return _refusal(
        NotUsableHereError("async views cannot run under gevent: use /sync/ on this server")
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    message = f"there is nothing at {request.path}: try /sync/fanout/no-http/"
    return _with_length(JsonResponse({"error": message}, status=404))


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    message = "the view failed: the server's log says why"
    return _with_length(JsonResponse({"error": message}, status=500))


@dataclass(frozen=True)
class _Task:
    """What a request asks for, as far as both views need it."""

    workload: Workload
    calls: Sequence[Call]
    cpu_ms: float


def _read(request: HttpRequest, workload: str, upstream: str) -> _Task:
    work = WORKLOADS[workload]
    asked = parameters.read(
        request.GET.dict(),
        delays_ms=work.delays_ms,
        upstream=upstream,
        upstreams=settings.UPSTREAMS,
    )
    calls = work.calls(settings.UPSTREAMS[asked.upstream], asked.delays_ms)
    return _Task(work, calls, asked.cpu_ms)


def _answer(request: HttpRequest, task: _Task, answers: Sequence[Answer]) -> HttpResponse:
    cpu.burn(task.cpu_ms + planted.CPU_MS)
    return _with_length(task.workload.respond(request, task.calls, answers))


def _refusal(error: ViewError) -> HttpResponse:
    document = {"error": str(error), **error.details}
    return _with_length(JsonResponse(document, status=error.status))


def _with_length(response: HttpResponse) -> HttpResponse:
    """Without its length a server must close the connection after the answer.

    Django leaves the header to CommonMiddleware, which not all settings have.
    """
    response["Content-Length"] = str(len(response.content))
    return response
