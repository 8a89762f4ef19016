"""All 80 classification models of torchvision: every conv and pool call, 30 CPU seconds or less.

Run it alone: pytest tests/benchmarks/test_models_speed.py --benchmark-disable -s -m slow
"""

import resource
import time

import pytest

pytestmark = pytest.mark.slow

CALLS = 6674
CPU_SECONDS = 30
MEGABYTES = 40


def test_torchvision_is_validated_whole_within_its_budget():
    models = pytest.importorskip("torchvision").models

    import convcheck
    from convcheck.models.windows import is_geometry

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


def test_torchinfo_beside_it():
    torchinfo = pytest.importorskip("torchinfo")
    models = pytest.importorskip("torchvision").models
    import convcheck

    names = ["resnet18", "mobilenet_v2", "squeezenet1_1"]
    ours = theirs = 0.0
    for name in names:
        began = time.process_time()
        convcheck.check_model(lambda name=name: models.get_model(name), (1, 3, 224, 224))
        ours += time.process_time() - began
        began = time.process_time()
        torchinfo.summary(models.get_model(name), (1, 3, 224, 224), verbose=0)
        theirs += time.process_time() - began
    print(f"{', '.join(names)}: convcheck {ours:.2f} CPU s, torchinfo {theirs:.2f} CPU s")
    assert ours < theirs
