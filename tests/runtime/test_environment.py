import subprocess
import sys

from convcheck.runtime.environment import describe_environment


def test_facts_are_told_without_importing_packages():
    script = (
        "import sys, json\n"
        "from convcheck.runtime.environment import describe_environment\n"
        "json.dumps(describe_environment().to_json())\n"
        "print([name for name in ('numpy', 'torch', 'scipy', 'sympy') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_missing_package_is_none():
    found = describe_environment(["numpy", "no-such-package"])
    assert found.packages["no-such-package"] is None
    assert found.packages["numpy"][0].isdigit()
    assert found.cores >= 1
