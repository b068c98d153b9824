"""What a process loads before its first request, so that no import falls into a measurement."""

import os

from django.template.loader import get_template
from django.urls import get_resolver

from consumer import http_clients, workloads

PRELOAD = "LAB_PRELOAD"


def load() -> None:
    """Load the URLconf, the templates and the HTTP client that LAB_PRELOAD names (none if empty).

    Raises:
        UnknownHttpClientError: LAB_PRELOAD is wrong; the server does not start.
    """
    get_resolver().url_patterns  # noqa: B018  (a property that imports)
    get_template(workloads.TEMPLATE)
    if name := os.environ.get(PRELOAD):
        http_clients.preload(name)
