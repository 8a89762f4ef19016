"""The notes' CIFAR-10 classifier, made to run.

Measured: 53.64 % on CIFAR-10, JPEG re-encoding (seed 0, 2 CPU cores, 1 thread, torch 2.15),
25,000 steps, one to two minutes.

    python examples/train_cifar10.py DIR        train/CLASS/*.jpg and test/CLASS/*.jpg
    python examples/train_cifar10.py cifar10    the original, where torchvision finds it
    python examples/train_cifar10.py --quick    ten drawn shapes, another batch and rate: seconds
"""

import sys
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import nn

from convcheck.training import find_recipe, train


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)  # 3 channels in, 6 out, a kernel of 5 x 5: 32 -> 28
        self.pool = nn.MaxPool2d(2, 2)  # 28 -> 14
        self.conv2 = nn.Conv2d(6, 16, 5)  # 14 -> 10, pooled to 5
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, classes)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)  # all dimensions except batch
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)  # logits: CrossEntropyLoss contains the softmax


def main(arguments):
    is_quick = arguments in ([], ["--quick"])
    # notes: batch 4, CrossEntropyLoss, SGD(lr=0.001, momentum=0.9), two epochs.
    recipe = replace(find_recipe("quick" if is_quick else "notes"), network=Net)
    data = "shapes10" if is_quick else arguments[0]
    # An interrupted run goes on where it was when the same command is given again.
    result = train(recipe, data, resume=True, log=print, progress=not is_quick)
    print(f"{result.verdict}: {result.steps} steps on {result.data} in {result.seconds:.0f} s")
    if result.accuracy is not None:
        print(f"accuracy on the test pictures: {100 * result.accuracy:.2f} %")


if __name__ == "__main__":
    main(sys.argv[1:])
