"""The interactive page, and the figures of the report: both drawn from one geometry.

May import: oracle, core.
"""
