"""The lab's own certificate authority and the API's certificate, made anew at each start."""

import ipaddress
import os
import ssl
from pathlib import Path

import trustme

NAMES = ("api", "localhost", "127.0.0.1")


def make_certificates(ca_file: Path) -> ssl.SSLContext:
    """Make a CA, write its certificate to `ca_file`, and return the context of the https server.

    The CA's key exists in memory only and is gone with this function: nobody can issue another
    certificate that the app would trust. Raises OSError where `ca_file` cannot be written.
    """
    ca = trustme.CA(organization_name="Django: sync or async?", organization_unit_name="Lab CA")
    names = dict.fromkeys((*NAMES, *own_addresses()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    ca.issue_cert(*names, organization_name="Django: sync or async?").configure_cert(context)
    _write_atomically(ca_file, ca.cert_pem.bytes())
    return context


def own_addresses() -> list[str]:
    """Every IP address of this machine or container by which another one can reach it.

    As the kernel lists them; link-local ones are left out, since no URL can name them.
    """
    addresses = set()
    previous = ""
    for line in Path("/proc/net/fib_trie").read_text().splitlines():
        if "/32 host LOCAL" in line:
            addresses.add(previous.split()[-1])
        previous = line
    ipv6 = Path("/proc/net/if_inet6")  # absent where IPv6 is switched off
    if ipv6.exists():
        for line in ipv6.read_text().splitlines():
            address = ipaddress.IPv6Address(int(line.split()[0], 16))
            if not address.is_link_local:
                addresses.add(str(address))
    return sorted(addresses)


def _write_atomically(file: Path, content: bytes) -> None:
    """Write so that a reader finds the old content or the new, never a part."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.chmod(0o644)
    draft.replace(file)
