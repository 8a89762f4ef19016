"""The sections of the report: each file builds one from what the rooms find."""
