"""The files of a run: their columns, and how each is written and read."""
