"""Findings to a document: Markdown, JSON, JUnit, figures."""
