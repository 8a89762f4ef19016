"""The reference CIFAR-10 run: data, recipes, loop, checkpoints, evaluation."""
