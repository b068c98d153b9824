"""What makes the requests: the programs that run in a driver's own process.

Nothing is imported here: a generator must not pay for the libraries that read its files.
"""
