"""The command line: a module for each of loadgen's commands."""
