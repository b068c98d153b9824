"""The documents that the lab writes of a run or of two, and what other programs read of one."""
