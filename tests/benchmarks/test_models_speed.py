"""All 80 classification models of torchvision: every conv and pool call, 30 CPU seconds or less.

Run it alone: pytest tests/benchmarks/test_models_speed.py --benchmark-disable -s -m slow
"""

import resource
import time

import pytest

from convcheck.models.windows import is_geometry

pytestmark = pytest.mark.slow

CALLS = 6674
CPU_SECONDS = 30
MEGABYTES = 40
TIMM_MODELS = 150


def test_torchvision_is_validated_whole_within_its_budget():
    models = pytest.importorskip("torchvision").models

    import convcheck

    names = models.list_models(module=models)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    calls = 0
    for name in names:
        report = convcheck.check_model(lambda name=name: models.get_model(name), (1, 3, 224, 224))
        assert report.passed, (name, report.findings)
        geometry = [layer for layer in report.layers if is_geometry(layer.op)]
        assert all(layer.expected_shape == layer.output_shape for layer in geometry)
        calls += len(geometry)
    seconds = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 1024
    print(f"{len(names)} models, {calls} calls, {seconds:.1f} CPU s, +{grown:.0f} MB")
    if len(names) == 80:
        assert calls == CALLS
    assert seconds <= CPU_SECONDS
    assert grown <= MEGABYTES


@pytest.mark.filterwarnings("ignore")  # what torchvision's own constructors warn of
def test_torchinfo_on_the_same_list_costs_more():
    """Every model once, in one process each way; some minutes, and 3 GB for torchinfo's weights."""
    torchinfo = pytest.importorskip("torchinfo")
    models = pytest.importorskip("torchvision").models
    import convcheck

    ours = theirs = 0.0
    names = models.list_models(module=models)
    for name in names:
        began = time.process_time()
        convcheck.check_model(lambda name=name: models.get_model(name), (1, 3, 224, 224))
        ours += time.process_time() - began
        began = time.process_time()
        torchinfo.summary(models.get_model(name), (1, 3, 224, 224), verbose=0)
        theirs += time.process_time() - began
    print(f"{len(names)} models: convcheck {ours:.1f} CPU s, torchinfo {theirs:.1f} CPU s")
    assert ours < theirs


def test_a_sample_of_timm_is_read_without_a_false_alarm():
    """150 models spread over timm's list, each at its own input size."""
    timm = pytest.importorskip("timm")
    import convcheck

    everything = timm.list_models()
    names = everything[:: max(1, len(everything) // TIMM_MODELS)][:TIMM_MODELS]
    alarms, calls = {}, 0
    began = time.process_time()
    for name in names:
        size = timm.get_pretrained_cfg(name, allow_unregistered=True)
        shape = size.input_size if size is not None else (3, 224, 224)
        report = convcheck.check_model(lambda name=name: timm.create_model(name), (1, *shape))
        calls += sum(is_geometry(layer.op) for layer in report.layers)
        if not report.passed:
            alarms[name] = [(f.code, f.where, f.what) for f in report.findings] or report.verdict
    print(f"{len(names)} models, {calls} calls, {time.process_time() - began:.1f} CPU s")
    assert not alarms
