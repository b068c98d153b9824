"""requests-per-request: a new session for each request of the view, as `requests.get` makes one."""

from collections.abc import Sequence
from functools import partial

import requests

from consumer.http_clients import Answer, Call, parallel
from consumer.http_clients._requests import get


def fetch(calls: Sequence[Call]) -> list[Answer]:
    with requests.Session() as session:
        return parallel.in_threads(partial(get, session), calls)
