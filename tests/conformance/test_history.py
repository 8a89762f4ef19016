"""What a function remembers of earlier calls is found, told by what it goes by, and reproduced."""

import textwrap

import pytest

from convcheck.conformance.check import check_implementation

SOURCE = textwrap.dedent(
    """
    from torch.nn.functional import conv2d

    known = {}

    def key_by(key):
        def function(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
            kept = known.setdefault(key(x, w), w.clone()) if key else w
            return conv2d(x, kept, b, stride, padding, dilation, groups)
        return function

    by_identity = key_by(lambda x, w: (id(w), w.shape))
    by_address = key_by(lambda x, w: (w.data_ptr(), w.shape, w.dtype))
    by_version = key_by(lambda x, w: (id(w), w._version, w.dtype, str(w.tolist())))
    by_sum = key_by(lambda x, w: (float(w.sum()), w.shape, w.dtype))
    by_shape = key_by(lambda x, w: (w.shape, w.dtype))
    by_nothing = key_by(None)
    """
)


@pytest.fixture
def kernels(tmp_path):
    path = tmp_path / "kernels.py"
    path.write_text(SOURCE)
    return path


def check(kernels, name, **options):
    return check_implementation(f"{kernels}:{name}", isolated=False, keep=False, **options)


@pytest.mark.parametrize("name", ["by_identity", "by_address", "by_sum", "by_shape"])
def test_what_is_remembered_is_found_and_the_script_shows_it(kernels, name, shows):
    finding = check(kernels, name).findings[0]
    # An identity and an address are given again to later arrays, as it happens.
    says = ("by its identity", "by its sum", "stale buffer or cache", "only sometimes")
    assert any(words in finding.diagnosis for words in says), finding.diagnosis
    shows(finding.reproduce(), name, "by_nothing")


@pytest.mark.parametrize("name", ["by_nothing", "by_version"])
def test_who_goes_by_the_contents_passes(kernels, name):
    assert check(kernels, name, max_cases=200, seconds=60).passed
