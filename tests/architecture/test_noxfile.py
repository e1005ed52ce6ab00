"""The noxfile works where nothing is installed yet, and says in one line what it cannot do without."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.members import ROOT

NOXFILE = ROOT / "noxfile.py"


def test_older_python_can_read_as_far_as_the_line_that_refuses_it() -> None:
    tree = ast.parse(NOXFILE.read_text(), feature_version=(3, 7))

    names = [ast.unparse(statement) for statement in tree.body[:4]]
    assert names[1] == "import sys"
    assert names[2].startswith("if sys.version_info < (3, 11):\n    sys.exit(")


def test_python_without_ensurepip_gets_one_line_that_names_the_package(tmp_path: Path) -> None:
    for name in ("noxfile.py", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    pretend = (
        "import importlib.util as u, runpy, sys; u.find_spec = lambda name: None; sys.argv = ['noxfile.py', 'setup']"
    )
    run = "runpy.run_path('noxfile.py', run_name='__main__')"

    refused = subprocess.run(
        [sys.executable, "-c", f"{pretend}; {run}"],
        cwd=tmp_path,
        env={"PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "python3-venv" in refused.stderr


def test_ordinary_nox_lists_the_tasks_and_runs_none() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--noxfile", str(NOXFILE)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert {"setup", "up", "demo", "tests", "lint", "regenerate", "compose", "lock"} <= set(listed.stdout.split())
    assert "Running session" not in listed.stderr
