"""What the tests share: upstreams of their own, over http and over https."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
import trustme
from upstream_stand_in import Upstream


def pytest_configure(config: pytest.Config) -> None:
    """The mark of tests that ask what the whole container uses: no other may run meanwhile."""
    config.addinivalue_line("markers", "by_itself: no other test may run in the same container")


@pytest.fixture(scope="session", autouse=True)
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssl.SSLContext]:
    """A certificate for 127.0.0.1, whose CA the clients are told to trust as the launcher tells it.

    Before any test: some libraries read the CA file when they are imported.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path_factory.mktemp("ca") / "bundle.pem"
    bundle.write_text(Path(certifi.where()).read_text() + authority.cert_pem.bytes().decode())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(bundle))
        environment.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        yield context


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A real HTTP server in threads of this process, which remembers what it saw."""
    with Upstream() as server:
        yield server


@pytest.fixture
def https_upstream(tls: ssl.SSLContext) -> Iterator[Upstream]:
    """The same over https."""
    with Upstream(tls) as server:
        yield server


@pytest.fixture
def full() -> Iterator[str]:
    """URL of a server that accepts nobody, and has no room left for those who wait for it."""
    with contextlib.ExitStack() as waiting:
        listener = waiting.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        with contextlib.suppress(TimeoutError):
            while True:
                waiting.enter_context(socket.create_connection(address, timeout=0.2))
        yield f"http://127.0.0.1:{address[1]}"
