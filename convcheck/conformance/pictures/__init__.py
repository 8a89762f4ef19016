"""Drawings of a finding: the wrong element, a wrong shape, a wrong gradient."""
