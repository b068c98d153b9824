"""As article with no middleware, no apps: DEBUG left on."""

from consumer.settings.bare import *  # noqa: F403

DEBUG = True
