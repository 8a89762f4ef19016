"""One self-contained page on which convolution is seen."""
