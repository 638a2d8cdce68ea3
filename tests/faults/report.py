"""What every long run shares: its arguments, its progress and its summary."""

import argparse
import json
import platform
import random
import sys
import time
from pathlib import Path
from typing import Any, Final

MOST: Final = 20
"""Findings that are shown."""


def parser(name: str, words: str) -> argparse.ArgumentParser:
    """Return a parser with what all runs take: `--seed` and `--json`."""
    made = argparse.ArgumentParser(prog=f"python tests/faults {name}", description=words)
    made.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="all dice; told with the summary")
    made.add_argument("--json", type=Path, metavar="FILE", help="append the figures to this file, an object a line")
    return made


def progress(words: str) -> None:
    """Say how far a run is: over the last such line on a terminal, else a line."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
    else:
        sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def summary(name: str, given: argparse.Namespace, figures: dict[str, Any], faults: list[str]) -> int:
    """Print a run's one line of figures, and what it found; return the exit code."""
    if sys.stderr.isatty():
        progress("")
    lines = [f"FOUND {fault}" for fault in faults[:MOST]]
    if len(faults) > MOST:
        lines.append(f"… and {len(faults) - MOST} more")
    said = ", ".join(f"{key} {f'{value:,}' if isinstance(value, int) else value}" for key, value in figures.items())
    lines.append(f"{name}: {'NOT as promised' if faults else 'as promised'}: {said} (seed {given.seed})")
    sys.stdout.write("\n".join(lines) + "\n")
    if given.json:
        line = {"run": name, "seed": given.seed, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        line |= {"python": platform.python_version(), "faults": len(faults)} | figures
        with given.json.open("a") as file:
            file.write(json.dumps(line) + "\n")
    return 1 if faults else 0
