"""The composition root: parse, call, print, exit code.

May import: every room. Nothing imports it.
"""
