"""Drivers: the programs that make the load, one small module each.

Nothing is imported here: a generator must not pay for the libraries that read its files.
"""
