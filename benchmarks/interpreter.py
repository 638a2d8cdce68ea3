"""The Python that runs what is measured: the one that measures, or another one that was built in another way."""

import os
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent.parent
VARIABLE: Final = "BENCH_PYTHON"
"""Names the other one. Its minor version is the same: it is given the packages of this one, and some are compiled."""

_ASKED: Final = """
import platform, sysconfig
print(platform.python_implementation(), platform.python_version(), sep="\\n")
print("--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""))
print(sysconfig.get_config_var("PGO_PROF_GEN_FLAG"), sysconfig.get_config_var("PGO_PROF_USE_FLAG"), sep="\\n")
"""


def python(*arguments: str) -> list[str]:
    """Return how to run something by that interpreter."""
    return [os.environ.get(VARIABLE, sys.executable), *arguments]


def environment() -> dict[str, str]:
    """Return the environment in which the project runs as it does once it is installed: its modules are compiled."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if VARIABLE in kept:
        kept["PYTHONPATH"] = os.pathsep.join(map(str, (HERE, sysconfig.get_path("platlib"))))
    return kept


@cache
def described() -> str:
    """Return its name, version and build, which matters as much: `CPython 3.11.7, built without PGO`.

    Raises:
        SystemExit: it can't be run, or its minor version is another one.
    """
    try:
        said = subprocess.run(python("-c", _ASKED), capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"{python()[0]} is no Python that can be run: {error}") from None
    name, version, asked_for, can, did = said.splitlines()
    if version.split(".")[:2] != [str(part) for part in sys.version_info[:2]]:
        raise SystemExit(f"{python()[0]} is {version}, and the packages here are for {sys.version.split()[0]}.")
    # Debian has a way of its own: it does both steps by hand, and strikes the second one's flag out where this is told.
    by_hand = can not in ("", "None") and did == ""
    built = "with" if asked_for == "True" or by_hand or sys.platform == "win32" else "without"
    return f"{name} {version}, built {built} PGO"
