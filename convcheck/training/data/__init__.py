"""Pictures to learn from: torchvision's CIFAR-10, a directory of class folders, or `shapes10`."""
