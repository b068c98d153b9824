"""What runs the views of this process."""

import sys


def gevent_is_active() -> bool:
    """Whether gevent has replaced threads by greenlets, as gunicorn and uWSGI let it do.

    gevent is not imported to find out: in the other servers it would only take memory.
    """
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
