"""A virtual environment for each peer: their requirements do not go together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from processes import ROOT

FOLDER = ROOT / ".peers"
REQUIREMENTS = Path(__file__).parent / "requirements"


class UnavailableError(Exception):
    """A peer cannot be measured; the message says why."""


def interpreter(peer: str, folder: Path = FOLDER) -> Path:
    """The Python of a peer's environment, which is made when there is none of these requirements.

    Raises ``UnavailableError`` with the last line of what the installer said.
    """
    wanted = (REQUIREMENTS / f"{peer}.txt").read_text()
    home = folder / peer
    python, done = home / "bin" / "python", home / "requirements.txt"
    if done.exists() and done.read_text() == wanted:
        return python
    _run([sys.executable, "-m", "venv", "--clear", home], peer)
    _run([python, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS / f"{peer}.txt"], peer)
    done.write_text(wanted)
    return python


def version(python: Path, package: str) -> str:
    """The version of a package in an environment."""
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    command = [str(python), "-c", code, package]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _run(command: list[str | Path], peer: str) -> None:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        raise UnavailableError(f"{peer} cannot be installed: {said[-1]}")
