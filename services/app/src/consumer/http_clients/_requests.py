"""One call with requests, with the errors of the lab."""

import requests

from consumer.errors import UpstreamError, UpstreamTimeoutError
from consumer.http_clients import Answer, Call


def get(session: requests.Session, call: Call) -> Answer:
    try:
        response = session.get(call.url, timeout=call.timeout_s)
    except requests.Timeout as error:
        raise UpstreamTimeoutError(f"{call.url}: {type(error).__name__}: {error}") from error
    except requests.RequestException as error:
        raise UpstreamError(f"{call.url}: {type(error).__name__}: {error}") from error
    return Answer(response.status_code, response.content)
