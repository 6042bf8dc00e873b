"""The command line, `towpath` and `kubectl towpath`: one file per verb, each over one `Backend`.

Data goes to stdout, all else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 timed out.
"""
