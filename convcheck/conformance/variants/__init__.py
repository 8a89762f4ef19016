"""Explanations as executable semantics: what a function with one known fault would return."""
