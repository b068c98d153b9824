"""What README and docs/ say of committed runs: each figure and verdict worked out again."""
