"""Processes, deadlines, journals and atomic files; knows nothing of convolution.

May import: core. Each file is imported by its own name, so that a reader of a journal does not
load the code that starts processes.
"""
