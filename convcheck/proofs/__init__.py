"""Proofs that can be re-checked: a small kernel, a catalogue, claims of the user's own."""
