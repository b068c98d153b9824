"""Two servers under one load at once: what a view of the one costs by a view of the other.

Whatever disturbs the CPU that they share disturbs both.
"""
