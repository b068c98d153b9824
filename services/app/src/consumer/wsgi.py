"""The WSGI application. uWSGI loads it before it forks, so nothing is used before the fork."""

from django.core.wsgi import get_wsgi_application

from consumer import startup

application = get_wsgi_application()
startup.preload()


def _rehearse() -> None:
    startup.rehearse_wsgi(application)


try:
    import uwsgi  # there only inside uWSGI
except ImportError:
    _rehearse()
else:
    uwsgi.post_fork_hook = _rehearse
