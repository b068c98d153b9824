"""What all settings share. There is no database."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

# Signs session cookies of a lab that has no users: nothing to protect.
SECRET_KEY = "the lab keeps no secrets"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = os.environ.get("LAB_URLCONF", "consumer.urls")  # api_asgi has URLs of its own
USE_TZ = True

# Without `loaders` Django caches compiled templates, with DEBUG too.
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT / "templates"],
        "OPTIONS": {},
    }
]

# Where the upstreams listen. The launcher hands over an address, so that no view pays for DNS.
UPSTREAMS = {
    "http": os.environ.get("LAB_UPSTREAM_HTTP", "http://api:9000"),
    "https": os.environ.get("LAB_UPSTREAM_HTTPS", "https://api:9443"),
    # consumer.api_asgi, which runs only where a trial asks for it.
    "django": os.environ.get("LAB_UPSTREAM_DJANGO", "http://api-django:8000"),
}
