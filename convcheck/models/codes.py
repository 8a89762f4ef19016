"""The catalogue of diagnosis codes, in the order in which a reader meets them."""

from __future__ import annotations

from dataclasses import dataclass

from convcheck.core.errors import UsageError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of diagnosis.

    Attributes:
        code: Its identifier.
        title: What is wrong, in a few words.
        meaning: Why it breaks, or why it is silently wrong.
        example: Code that shows it.
        cure: What to do.
    """

    code: str
    title: str
    meaning: str
    example: str
    cure: str


def _code(code: str, title: str, meaning: str, example: str, cure: str) -> Code:
    return Code(code=code, title=title, meaning=meaning, example=example, cure=cure)


CODES: tuple[Code, ...] = (
    _code(
        "CC101",
        "a layer cannot be built",
        "Its arguments contradict each other, whatever the input: channels that the groups do "
        "not divide, padding 'same' with a stride, a padding mode that does not exist.",
        "nn.Conv2d(6, 16, 3, groups=4)  # 6 = 1 * 4 + 2",
        "Choose groups that divide both channel counts; give a strided layer its padding as ints.",
    ),
    _code(
        "CC102",
        "the model cannot be built",
        "Its constructor raises before any layer runs.",
        "def __init__(self): self.conv = nn.Conv2d(3, 6, 5)  # super().__init__() is missing",
        "Read the exception and the line that raised it; call super().__init__() first.",
    ),
    _code(
        "CC103",
        "forward does not take these inputs",
        "The number or the names of the inputs differ from the parameters of forward.",
        "model(x, mask) where def forward(self, x)",
        "Give forward what it takes, or change its parameters.",
    ),
    _code(
        "CC104",
        "forward raises",
        "Python code between the layers raises: a missing attribute, a wrong number of values.",
        "self.fc4(x) where only fc1 to fc3 are registered",
        "Read the exception and the line that raised it.",
    ),
    _code(
        "CC105",
        "the model looks at values",
        "What it does depends on the values of tensors, so that shapes alone do not decide it, and "
        "it is too large to be run for real.",
        "if x.sum() > 0: ...",
        "Check it with a smaller input, or replace the branch by torch.where.",
    ),
    _code(
        "CC201",
        "a Linear gets another number of features than it was built for",
        "A Linear multiplies the last axis: its extent must equal in_features. After a flatten "
        "that extent is channels * height * width of the last map, so it changes with the input "
        "size and with every kernel, stride and padding before.",
        "nn.Linear(576, 120) after a map of 16 x 5 x 5 = 400",
        "Set in_features to what arrives, or change the layer or the input that made it.",
    ),
    _code(
        "CC202",
        "a convolution gets another number of channels than it was built for",
        "in_channels must equal the channels of the input: the out_channels of the layer before, "
        "or their sum after a cat. An image with its channels last has them in the wrong place.",
        "nn.Conv2d(3, 6, 5) then nn.Conv2d(8, 16, 5)",
        "Make in_channels what arrives; permute an image with channels last.",
    ),
    _code(
        "CC203",
        "a window does not fit",
        "The effective kernel d(k-1)+1 is larger than the padded input: the map has become too "
        "small on its way.",
        "nn.Conv2d(16, 32, 5) on a map of 3 x 3",
        "Use padding, a smaller kernel, less stride or pooling before, or a larger input.",
    ),
    _code(
        "CC204",
        "a layer gets a tensor with the wrong number of axes",
        "conv2d and its like take (N, C, H, W), or (C, H, W) without a batch; 1d and 3d alike.",
        "nn.Conv2d(3, 6, 5) on a flattened (N, 3072)",
        "Reshape before the layer, or use the layer for that number of axes.",
    ),
    _code(
        "CC205",
        "a layer has an impossible argument",
        "A stride or dilation below 1, a pool padding above kernel // 2, an output padding that is "
        "not less than the stride or the dilation, groups that do not divide the channels.",
        "nn.MaxPool2d(2, padding=2)",
        "Bring the argument into its range, which the finding names.",
    ),
    _code(
        "CC206",
        "a view does not have the elements for its shape",
        "The product of the new shape must equal the number of elements.",
        "x.view(-1, 400) where each of 3 images has 576 features",
        "Use torch.flatten(x, 1), or the size that arrives.",
    ),
    _code(
        "CC207",
        "two tensors cannot be combined element by element",
        "Aligned from the last axis, each pair of extents must be equal, or one of them 1. In a "
        "residual block both branches must keep channels and size, or change them alike.",
        "x + conv(x) where conv has kernel 3 and no padding",
        "Give the branch padding d(k-1)/2, or the shortcut a convolution with the same stride.",
    ),
    _code(
        "CC208",
        "tensors cannot be concatenated",
        "All axes but the joined one must agree. A map of odd size that was halved and doubled "
        "comes back one smaller.",
        "torch.cat([up, skip], 1) with 14 x 14 and 15 x 15",
        "Crop or pad one of them, use output_padding, or an input size divisible by the strides.",
    ),
    _code(
        "CC209",
        "a normalisation was built for another number of features",
        "num_features (or normalized_shape, num_channels) must equal what arrives.",
        "nn.BatchNorm2d(32) after nn.Conv2d(3, 16, 3)",
        "Set it to the channels of the layer before.",
    ),
    _code(
        "CC210",
        "tensors of different types meet",
        "A layer needs its input in the type of its weights.",
        "a uint8 image into a float32 convolution",
        "Convert the input: x.float(), and scale it.",
    ),
    _code(
        "CC211",
        "a normalisation has one value to work with",
        "With one value per channel the variance is zero, and the result is the bias whatever "
        "the input: torch refuses it for batch norm in training, and computes it elsewhere.",
        "nn.BatchNorm2d(8) on (1, 8, 1, 1) in training mode",
        "Use a larger batch, or leave the normalisation out there.",
    ),
    _code(
        "CC212",
        "two matrices cannot be multiplied",
        "The last axis of the first must equal the last but one of the second.",
        "q @ k where k was not transposed",
        "Transpose one of them, or make the sizes agree.",
    ),
    _code(
        "CC213",
        "elements cannot be rearranged so",
        "Pixel shuffle needs channels divisible by r^2, pixel unshuffle sizes divisible by r, fold "
        "as many columns as its output has windows.",
        "nn.PixelShuffle(3) on 16 channels",
        "Make the layer before return the multiple.",
    ),
    _code(
        "CC299",
        "an operator refuses its input",
        "torch refuses the call, and convcheck has no closed rule for the operator.",
        "torch.linalg.inv of a matrix that is not square",
        "Read torch's message; the finding names the layer and the shapes.",
    ),
    _code(
        "CC301",
        "a call returned another shape than its formula",
        "Produced and predicted size differ: the operator or the formula is wrong.",
        "a compiled convolution that pads on one side only",
        "Check the operator; convcheck test compares it with an exact oracle.",
    ),
    _code(
        "CC302",
        "a layer declares another geometry than it uses",
        "Its attributes say one kernel, stride, padding or channel count, its call has another; "
        "whatever reads the attributes (a printed model, an exporter) is misled.",
        "a Conv2d subclass whose forward calls F.conv2d with padding 0",
        "Use the attributes in forward, or set them to what is used.",
    ),
    _code(
        "CC401",
        "the batch size changes",
        "A view with -1 in front makes rows of n elements, whatever belongs to one sample: with "
        "another map size, samples are cut or mixed, and no error is raised if it divides.",
        "x.view(-1, 400) where each image has 1600 features",
        "Use torch.flatten(x, 1), which keeps the batch axis.",
    ),
    _code(
        "CC402",
        "a Linear works on an unflattened map",
        "It mixes along the last axis, the width of the map, row by row, without a flatten before.",
        "nn.Linear(5, 10) on (N, 16, 5, 5)",
        "Flatten before: torch.flatten(x, 1), with in_features = C * H * W.",
    ),
    _code(
        "CC403",
        "a sum broadcasts by accident",
        "One branch has shrunk to extent 1 (or lost an axis), so the sum repeats it everywhere "
        "instead of failing.",
        "x + conv(x) where conv has kernel 5 and x is 5 x 5",
        "Give the branch the padding that keeps its size.",
    ),
    _code(
        "CC404",
        "a batch is read as channels",
        "A 1d layer takes (C, L) as one unbatched sample; a batch of feature rows (N, F) looks the "
        "same to it.",
        "nn.MaxPool1d(2) on (N, 64)",
        "Insert the channel axis: x.unsqueeze(1).",
    ),
    _code(
        "CC405",
        "a module is registered and never called",
        "Its parameters are listed, saved and given to the optimiser, and get no gradient.",
        "self.conv3 = nn.Conv2d(16, 32, 3), not used in forward",
        "Call it in forward, or delete it.",
    ),
    _code(
        "CC406",
        "modules sit in a plain list",
        "A plain list, tuple or dict does not register them: their parameters are not in "
        "parameters(), are not trained, moved or saved.",
        "self.convs = [nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3)]",
        "Use nn.ModuleList, nn.ModuleDict or nn.Sequential.",
    ),
    _code(
        "CC407",
        "a border is dead",
        "Windows that lie wholly in the padding return a constant; or a stride leaves a broad "
        "part of the map unread.",
        "nn.Conv2d(8, 8, 1, padding=1)",
        "Use padding of at most d(k-1); choose kernel and stride that cover the map.",
    ),
    _code(
        "CC501",
        "a receptive field is not exact",
        "An operator on the way is not followed exactly; the finding names it.",
        "attention inside of windows",
        "Leave --strict out, or read the number as the bound that it is.",
    ),
    _code(
        "CC601",
        "a shape differs from the lock file",
        "A layer's path, operator or shape changed since the lock was written.",
        "convcheck model file.py:Net --check shapes.lock",
        "Undo the change, or write the lock again.",
    ),
)  # fmt: skip


def find_code(name: str) -> Code:
    """Returns the entry of a code such as "CC201".

    Raises:
        UsageError: There is none.
    """
    known = {entry.code: entry for entry in CODES}
    if name.upper() not in known:
        raise UsageError(f"there is no code {name!r}", fix=nearest(name.upper(), known))
    return known[name.upper()]
