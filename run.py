#!/usr/bin/env python3
"""Run a program of this project from a checkout, setting up all it needs: `python3 run.py chat-tui`.

Needs Python >= 3.11 with pip, nothing else. uv does the work: the one on PATH, else one that pip puts into `.uv/` here
(into a folder, so that a Python which the system manages allows it too). All is installed into `.venv/` here, in the
versions of `uv.lock`; nothing outside this folder is touched but uv's cache.
"""

from __future__ import annotations  # an older Python must get as far as saying that it is too old

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
UV = "uv==0.13.8"
FOR_USERS = ("chat-tui", "chat-server")


def main(command: list[str]) -> int:
    """Run the command in the project's environment and return its exit code."""
    if sys.version_info < (3, 11):
        return fail(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. Try python3.12 run.py …")
    if not command:
        return fail("Say what to run: python3 run.py chat-tui, chat-server or pytest.")
    uv = shutil.which("uv") or fetch_uv()
    if uv is None:
        return fail("pip could not install uv. Is there a network? Debian and Ubuntu: apt install python3-pip.")
    environment = {**os.environ, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    # What is there already stays (--inexact): users' programs need less than the tests.
    sync = [uv, "sync", "--project", str(HERE), "--locked", "--inexact"]
    if command[0] in FOR_USERS:
        sync.append("--no-dev")
        if (HERE / ".venv").exists():
            sync.append("--quiet")
    if subprocess.call(sync, env=environment):
        return fail("The set-up failed, for the reason above.")
    programs = HERE / ".venv" / ("Scripts" if sys.platform == "win32" else "bin")
    program = shutil.which(command[0], path=str(programs))
    if program is None:
        return fail(f"There is no {command[0]} here. Try chat-tui, chat-server or pytest.")
    # How others are told to start it.
    environment["CHAT_TUI_COMMAND"] = f"python3 {Path(sys.argv[0]).name} chat-tui"
    environment["PATH"] = str(programs) + os.pathsep + environment.get("PATH", "")
    if sys.platform != "win32":
        # In this process's place: Ctrl+Z and Ctrl+C are between the program and the terminal.
        os.execve(program, [program, *command[1:]], environment)
    return subprocess.call([program, *command[1:]], env=environment)


def fetch_uv() -> str | None:
    """Return the uv of this checkout, installing it at first."""
    folder = HERE / ".uv"
    program = folder / "bin" / ("uv.exe" if sys.platform == "win32" else "uv")
    if not program.exists():
        print("Setting up (once): fetching uv …", file=sys.stderr, flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        quiet = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
        subprocess.call([*pip, "--target", str(folder), "--upgrade", UV], env=quiet)
    return str(program) if program.exists() else None


def fail(message: str) -> int:
    """Say what is wrong on one line."""
    print(f"run.py: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
