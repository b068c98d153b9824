"""No middleware, no apps: what is left is Django's handler."""

from consumer.settings.base import *  # noqa: F403

INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
