"""Gunicorn's worker classes for ASGI, with what no flag of Gunicorn can say.

A module each: importing a worker that does not run would add to a server's memory.
"""
