"""The lab's certificates, and https with them."""

import ssl
from pathlib import Path

import pytest
from api import Api, exchange

from upstream.certificates import make_certificates, own_addresses

GET_5 = b"GET /5/ HTTP/1.1\r\nHost: api\r\n\r\n"


@pytest.mark.parametrize("name", ["api", "localhost", *own_addresses()])
def test_the_certificate_holds_for_every_name_of_the_api(api: Api, name: str) -> None:
    with api.connect_tls(name) as connection:
        assert exchange(connection, GET_5).status == 200


def test_loopback_is_among_the_own_addresses() -> None:
    assert "127.0.0.1" in own_addresses()


def test_the_certificate_does_not_hold_for_other_names(api: Api) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        api.connect_tls("example.org")


def test_a_client_that_does_not_know_the_lab_refuses_it(api: Api) -> None:
    context = ssl.create_default_context()
    with (
        api.connect() as plain,
        pytest.raises(ssl.SSLError),
        context.wrap_socket(plain, server_hostname="localhost"),
    ):
        pass


def test_the_ca_file_holds_one_certificate_and_no_key(api: Api) -> None:
    text = api.ca_file.read_text()

    assert text.count("BEGIN CERTIFICATE") == 1
    assert "PRIVATE KEY" not in text
    assert api.ca_file.stat().st_mode & 0o777 == 0o644


def test_each_start_makes_a_new_ca_and_leaves_no_draft(tmp_path: Path) -> None:
    ca_file = tmp_path / "lab-ca.pem"
    make_certificates(ca_file)
    first = ca_file.read_text()

    make_certificates(ca_file)

    assert ca_file.read_text() != first
    assert list(tmp_path.iterdir()) == [ca_file]
