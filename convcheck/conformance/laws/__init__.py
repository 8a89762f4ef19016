"""Equations between results of a function, which need no expected value."""
