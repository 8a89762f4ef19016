"""Exact expected values: the defining sum over any ring, its fast twin, adjoints, comparison.

May import: core. The targets under test never share a process with this room.
"""
