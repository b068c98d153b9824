"""The upstream `django`: an API served by Django, as article A has it, in a process of its own.

As there it is the same project with other URLs, and a plain ASGI application without lifespan.
"""

import os

# Before Django reads its settings.
os.environ["LAB_URLCONF"] = "consumer.api_urls"

from django.core.asgi import get_asgi_application

application = get_asgi_application()
