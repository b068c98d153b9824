"""The shared clients of the README, in a project of their own, under the README's command lines."""

import json
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from socket import gethostbyname, gethostname
from subprocess import CompletedProcess
from threading import Thread

import httpx
import pytest

from engine import Engine
from lab import POLL_S, ROOT, START_TIMEOUT_S

type Compose = Callable[..., CompletedProcess[str]]

#: The rest of the project, which says nothing about clients.
SETTINGS = """
SECRET_KEY = "a"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mysite.urls"
"""
URLS = """
from django.urls import path
from mysite import views
urlpatterns = [path("", views.price)]
"""
WSGI = """
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
#: Writes the files of FILES and becomes the command that follows.
START = """
import json, os, pathlib, sys
for name, text in json.loads(os.environ["FILES"]).items():
    file = pathlib.Path("/tmp/project") / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
os.chdir("/tmp/project")
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
os.environ["PYTHONPATH"] = "/tmp/project"
os.execvp(sys.argv[1], sys.argv[1:])
"""
REQUESTS = 6


class Upstream:
    """Counts its connections and its calls, and answers with a price."""

    def __init__(self) -> None:
        self.connections = self.calls = 0
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                upstream.connections += 1
                super().setup()

            def do_GET(self) -> None:
                upstream.calls += 1
                body = b'{"price": 7}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
        self.url = f"http://{gethostbyname(gethostname())}:{self.server.server_port}/42"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def section() -> str:
    text = (ROOT / "README.md").read_text()
    return text.split("\n## Share a client\n")[1].split("\n## ")[0]


def command_of(start: str) -> list[str]:
    """The command line that starts so, and where its server listens besides."""
    (line,) = re.findall(rf"^ {{4}}({re.escape(start)} .*)$", section(), re.MULTILINE)
    command = shlex.split(line, comments=True)
    listen = {"gunicorn": ["--bind", "0.0.0.0:8000"], "uvicorn": ["--host", "0.0.0.0"]}
    return [*command, *listen[command[0]]]


def files_of(block: str) -> dict[str, str]:
    """The files of a block: each begins with a comment that names it."""
    parts = re.split(r"^# (mysite/\w+\.py).*\n", block, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def project(upstream: str, written: Mapping[str, str]) -> dict[str, str]:
    files = {
        "mysite/__init__.py": "",
        "mysite/settings.py": SETTINGS,
        "mysite/urls.py": URLS,
        "mysite/wsgi.py": WSGI,
        "mysite/upstream.py": "",
        **written,
    }
    assert any("http://prices/42" in text for text in files.values())
    return {name: text.replace("http://prices/42", upstream) for name, text in files.items()}


@contextmanager
def running(
    compose: Compose, engine: Engine, files: Mapping[str, str], command: list[str]
) -> Iterator[httpx.Client]:
    name = f"{os.environ['COMPOSE_PROJECT_NAME']}-readme-{PurePosixPath(command[0]).name}"
    options = ("--detach", "--no-deps", "--name", name, "--env", f"FILES={json.dumps(files)}")
    done = compose("run", *options, "--entrypoint", "python", "uvicorn", "-c", START, *command)
    assert done.returncode == 0, done.stderr
    try:
        with httpx.Client(base_url=f"http://{name}:8000", timeout=30) as client:
            deadline = time.monotonic() + START_TIMEOUT_S
            while True:
                try:
                    client.get("/nowhere")
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline, f"{command} does not come up"
                    time.sleep(POLL_S)
            yield client
    finally:
        engine.remove(name)


@pytest.mark.parametrize(
    ("start", "block"),
    [
        ("gunicorn mysite.wsgi --worker-class gthread", 0),
        ("gunicorn mysite.wsgi --worker-class gevent", 0),
        ("uvicorn", 1),
    ],
)
def test_views_share_one_connection_of_the_readmes_client(
    compose: Compose, engine: Engine, upstream: Upstream, start: str, block: int
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", section(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    files = project(upstream.url, files_of(blocks[block]))

    with running(compose, engine, files, command_of(start)) as client:
        answers = [client.get("/") for _ in range(REQUESTS)]

    assert [answer.json() for answer in answers] == [{"price": 7}] * REQUESTS
    assert (upstream.calls, upstream.connections) == (REQUESTS, 1)
