"""Laws and statistics: pure functions, which know nothing of the lab."""
