"""Every claim of the lecture notes, decided by a check that runs."""
