"""Trials one after the other, from the first to the last, also after a break.

A plan says which trial comes after the rows so far; a run measures it, and keeps its row in the
run's folder.
"""
