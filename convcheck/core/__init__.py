"""The vocabulary: specs, cases, sizes, findings, verdicts, errors. Standard library only.

May import: nothing of convcheck.
"""
