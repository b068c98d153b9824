"""Trials one after the other, from the first to the last, also after a break."""
