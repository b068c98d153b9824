"""As article A's project runs: startproject's settings with DEBUG left on."""

from consumer.settings.startproject import *  # noqa: F403

DEBUG = True
