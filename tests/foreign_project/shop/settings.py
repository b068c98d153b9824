"""Settings of the shop."""

import os

SECRET_KEY = "of no use to anybody"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]

ORDERS_API = os.environ["ORDERS_API"]
"""Where the API has the order."""
