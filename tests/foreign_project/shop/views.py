"""Pages of the shop."""

import json
from urllib.request import urlopen

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join


def order(_request: HttpRequest) -> HttpResponse:
    """The page of an order, as the API has it."""
    with urlopen(settings.ORDERS_API, timeout=10) as answer:
        order = json.load(answer)
    lines = ((line["quantity"], line["name"]) for line in order["lines"])
    items = format_html_join("", "<li>{} {}</li>", lines)
    return HttpResponse(format_html("<h1>Order {}</h1><ul>{}</ul>", order["id"], items))
