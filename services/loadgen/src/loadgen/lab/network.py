"""Where the lab's services are: their ports, and their addresses in Compose's network."""

import socket

from loadgen.errors import ConfigurationError

APP_PORT = 8000
LAUNCHER_PORT = 9100


def address_of(service: str, host: str | None = None) -> str:
    """The IPv4 address of a Compose service, or of the host at which it listens if another.

    Raises:
        ConfigurationError: the service is not up.
    """
    try:
        return socket.gethostbyname(host or service)
    except (OSError, UnicodeError):  # a label over 63 letters is no name either
        raise ConfigurationError(
            f"{service} is not up. Start it with: docker compose up -d {service}"
        ) from None
