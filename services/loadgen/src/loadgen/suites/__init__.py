"""What is asked: suites, their cases, and how long these are measured."""
