"""The vocabulary: specs, cases, sizes, findings, verdicts, errors. Imports the standard library only.

May import: nothing of convcheck.
"""
