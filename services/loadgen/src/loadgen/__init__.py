"""Runs suites of trials against the lab's servers and writes the results."""
