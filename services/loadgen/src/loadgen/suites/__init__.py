"""What is asked: suites, their cases, and how long these are measured.

A suite's file is read (read_suite), checked (check_suite), and made into cases (make_cases),
comparisons (pairs) and waterfalls (waterfall); load_suites does all of it.
"""
