"""Is each layer's size what the formula says, and why does this model break?"""
