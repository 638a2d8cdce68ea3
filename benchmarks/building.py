"""The load and the ceiling are C: compiled at first use, and kept in the user's cache."""

import os
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import platformdirs

SOURCES: Final = Path(__file__).resolve().parent
FLAGS: Final = ("-O2", "-std=gnu11")
TLS: Final = ("-DWITH_TLS", "-lssl", "-lcrypto")
"""For the load, where OpenSSL's headers are installed."""


def missing() -> str:
    """Return why nothing can be compiled here; empty where it can."""
    if sys.platform != "linux":
        return "the load needs Linux (epoll, /proc)"
    return "" if _compiler() else "there is no C compiler (cc)"


@cache
def load() -> tuple[Path, bool]:
    """Return the load, and whether it can speak TLS."""
    try:
        return _compiled("load.c", "-lm", *TLS), True
    except subprocess.CalledProcessError:
        return _compiled("load.c", "-lm"), False


@cache
def ceiling() -> Path:
    """Return the ceiling."""
    return _compiled("ceiling.c")


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CC", "cc"))


def _compiled(name: str, *libraries: str) -> Path:
    """Compile a source where that was not done yet; CalledProcessError where that fails."""
    source, compiler = SOURCES / name, _compiler()
    assert compiler is not None
    made_of = sha256(source.read_bytes() + " ".join((compiler, *FLAGS, *libraries)).encode()).hexdigest()[:12]
    folder = platformdirs.user_cache_path("chat-tui") / "benchmarks"
    program = folder / f"{source.stem}-{made_of}"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = program.with_suffix(".new")
        command = [compiler, *FLAGS, str(source), "-o", str(unfinished), *libraries]
        subprocess.run(command, check=True, capture_output=True)
        unfinished.rename(program)
    return program
