"""The URLs of api_asgi: those of the lab's own API that the workloads call."""

from django.urls import path, re_path

from consumer import api_views

urlpatterns = [
    path("<str:ms>/", api_views.country),
    path("todos/<int:number>", api_views.todo),
    re_path("", api_views.not_found),
]
