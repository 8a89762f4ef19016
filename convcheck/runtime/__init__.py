"""Processes, deadlines, locks and atomic files; knows nothing of convolution.

May import: core. Each file is imported by its own name, so that whoever writes a file does not load
the code that starts processes.
"""
