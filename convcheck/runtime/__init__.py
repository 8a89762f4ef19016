"""Processes, deadlines, journals and atomic files; knows nothing of convolution."""
