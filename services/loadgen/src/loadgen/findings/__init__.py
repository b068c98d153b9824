"""What rows say: of a case over its rounds, of two cases, of a run, of two runs."""
