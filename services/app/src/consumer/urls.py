"""/{view}/{workload}/{http_client}/ and article B's two routes."""

from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from consumer import views
from consumer.concurrency import gevent_is_active
from consumer.workloads import WORKLOADS


class WorkloadConverter(StringConverter):
    regex = "|".join(WORKLOADS)


register_converter(WorkloadConverter, "workload")

async_view = views.no_async_view if gevent_is_active() else views.async_view

urlpatterns = [
    path("sync/<workload:workload>/<http_client>/", views.sync_view),
    path("async/<workload:workload>/<http_client>/", async_view),
    path(
        "sync/test",
        views.sync_view,
        {"workload": "single", "http_client": "requests-per-request", "upstream": "https"},
    ),
    path(
        "async/test",
        async_view,
        {"workload": "single", "http_client": "httpx-per-request", "upstream": "https"},
    ),
    # Not left to handler404, which DEBUG replaces by a page of its own.
    re_path("", views.not_found),
]

handler404 = views.not_found
handler500 = views.server_error
