"""What all measurements share: the machine they were made on, quantiles, and tables."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import interpreter

PACKAGES = ("chat-tui", "textual", "msgspec", "uvloop", "apsw")


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def cpu_seconds(pid: int) -> float | None:
    """Return the seconds of processor time that a process has used; None where the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> dict[str, str]:
    """Return what figures depend on besides the program."""
    facts = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": f"{os.cpu_count()} x {_processor()}",
        "python": interpreter.described(),
    }
    for package in PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "none"
    return facts


def filesystem(folder: Path) -> str:
    """Return the type of the file system that a folder lies on; `unknown` where the system does not say."""
    best, kind = "", "unknown"
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return kind
    for mount in mounts:
        _, where, found, *_ = mount.split(" ")
        if folder.resolve().is_relative_to(where) and len(where) >= len(best):
            best, kind = where, found
    return kind


def disk() -> Path:
    """Return a folder on a real disk: on one in memory a commit costs nothing, and figures say nothing."""
    for folder in (Path(tempfile.gettempdir()), Path("/var/tmp"), Path.cwd()):  # noqa: S108 - only asked for a new folder
        if folder.is_dir() and filesystem(folder) not in ("tmpfs", "ramfs"):
            return folder
    raise SystemExit("There is no folder on a disk here: set TMPDIR to one.")


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock of the file that BENCH_LOCK names, if it names one: who measures on this machine takes turns."""
    if not (name := os.environ.get("BENCH_LOCK")):
        yield
        return
    import fcntl

    with Path(name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """Keep what is started meanwhile on one core, all its threads: server and load do not take each other's.

    Only Linux knows how; elsewhere, and with a single core, this does nothing.
    """
    if sys.platform != "linux" or number not in (allowed := os.sched_getaffinity(0)):
        yield
        return
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def say(text: str) -> None:
    """Tell who waits what is being done."""
    print(f"  {text} …", file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, markdown: bool = False) -> str:
    """Return rows as aligned text or as a Markdown table: the first column left, the others right."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    aligned = [
        [
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    if not markdown:
        return "\n".join("  ".join(line).rstrip() for line in aligned)
    rule = ["-" * width if not column else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [aligned[0], rule, *aligned[1:]])


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    """Return what was measured, with `-dirty` where files were changed since."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
