"""Drivers: the programs that make the load, one small module each, and their processes."""
