"""A model that breaks, and why; then the one that was meant.

Run: python examples/check_my_model.py
"""

import torch
from torch import nn

import convcheck


class Broken(nn.Module):
    """The notes' network with a 3x3 kernel in both convolutions; fc1 was left as it was."""

    def __init__(self, kernel: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, kernel)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, kernel)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.fc2(torch.relu(self.fc1(torch.flatten(x, 1))))


def main() -> int:
    picture = torch.empty(1, 3, 32, 32)
    for name, model in (("kernel 3", Broken), ("kernel 5", lambda: Broken(kernel=5))):
        report = convcheck.check_model(model, picture)
        print(f"{name}: {report.verdict}")
        for layer in report.layers:
            print(f"  {layer.path:<6} {layer.op:<11} {layer.input_shape} -> {layer.output_shape}")
        for finding in report.findings:
            print(f"\n  {finding.code} at {finding.where}\n  {finding.what}\n  {finding.why}")
            print(f"  fix: {finding.fix}")
        print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
