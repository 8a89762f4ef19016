"""The pytest plugin: a fixture, two options, a section in the summary, properties in JUnit."""

import subprocess
import sys
import textwrap

TEST = textwrap.dedent(
    """
    def size(input_size, kernel_size, stride, padding, dilation):
        return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1

    def wrong(input_size, kernel_size, stride, padding, dilation):
        return (input_size + padding - dilation * (kernel_size - 1) - 1) // stride + 1

    def test_right(convcheck_implementation):
        convcheck_implementation(size, op="output_size", isolated=False, keep=False, max_cases=50)

    def test_wrong(convcheck_implementation):
        convcheck_implementation(wrong, op="output_size", isolated=False, keep=False)
    """
)


def run(directory, *options):
    (directory / "test_sizes.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly"]
    if "convcheck" not in plugins():
        command += ["-p", "convcheck.pytest_plugin"]
    return subprocess.run(
        [*command, *options, "test_sizes.py"], cwd=directory, capture_output=True, text=True
    )


def plugins():
    from importlib.metadata import entry_points

    return {point.name for point in entry_points(group="pytest11")}


def test_it_fails_the_wrong_one_and_tells_what_was_checked(tmp_path):
    done = run(tmp_path, "--convcheck-seed=7", "--convcheck-seconds=20", "--junitxml=out.xml")
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "PASS output_size" in done.stdout and "FAIL output_size" in done.stdout
    assert "counts the padding once" in done.stdout
    assert "convcheck_diagnosis" in (tmp_path / "out.xml").read_text()


def test_it_imports_nothing_heavy():
    check = "import sys, convcheck.pytest_plugin; print({'numpy', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
