"""The WSGI application. uWSGI loads it before it forks: share nothing here."""

from django.core.wsgi import get_wsgi_application

from consumer import startup

application = get_wsgi_application()
startup.rehearse_wsgi(application)
