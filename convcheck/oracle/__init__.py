"""Exact expected values: the defining sum over any ring, its fast twin, adjoints, pooling, losses, comparison."""
