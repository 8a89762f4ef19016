"""Does this function compute a convolution?"""
