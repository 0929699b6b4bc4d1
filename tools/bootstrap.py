"""Make the virtual environment and install uv into it; uv installs everything else.

python3 tools/bootstrap.py .venv requirements/bootstrap.txt

Runs on the machine's own Python before anything is installed: standard library only, and syntax that an
older Python can read, so that it can say that it is too old.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
_NO_PIP = """\
{python} can make no environment: it has neither `ensurepip` nor a pip (22.3 or newer) of its own.
Install one of them and run make again:
    Debian, Ubuntu    apt-get install python3-venv
    Fedora, RHEL      dnf install python3-pip
or name another interpreter: make setup PYTHON=python3.13
"""


def main(venv: Path, requirements: Path) -> int:
    """Make the environment if it is absent or broken, then install the requirements into it with pip."""
    if sys.version_info < OLDEST:
        running = "{}.{}".format(*sys.version_info)
        wanted = "{}.{}".format(*OLDEST)
        return _fail(
            f"{sys.executable} is Python {running}, not {wanted} or newer: try make setup PYTHON=python3.13\n"
        )
    python = venv / "bin" / "python"
    if not _runs(python, f"import sys; sys.exit(sys.version_info < {OLDEST})"):
        _make(venv)
    pip = _pip_for(python)
    if pip is None:
        return _fail(_NO_PIP.format(python=sys.executable))
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    command = [*pip, "install", *options, "--requirement", str(requirements)]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - the command is ours


def _make(venv: Path) -> None:
    """Make the environment with a pip in it; without one where this Python has no ensurepip, as on Debian."""
    command = [sys.executable, "-m", "venv", "--clear"]
    if not _succeeds([*command, str(venv)]):
        _succeeds([*command, "--without-pip", str(venv)])


def _pip_for(python: Path) -> list[str] | None:
    """Return the pip that can install into the environment: its own, else the machine's; None if neither."""
    if _runs(python, "import pip"):
        return [str(python), "-m", "pip"]
    machines = [sys.executable, "-m", "pip", "--python", str(python)]
    return machines if _succeeds([*machines, "--version"]) else None


def _runs(python: Path, code: str) -> bool:
    """Say whether an interpreter is there and runs this code without an error."""
    return python.exists() and _succeeds([str(python), "-c", code])


def _succeeds(command: list[str]) -> bool:
    """Say whether a command ends well; what it printed is of no interest, the caller has a better message."""
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - the commands are ours


def _fail(message: str) -> int:
    """Print why there is no environment, and return the exit status."""
    sys.stderr.write(message)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
