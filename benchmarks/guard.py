"""Guards the hot paths: how many instructions a message costs, told as a ratio to work that has nothing to do with it.

`python3 run.py python benchmarks/guard.py`; `--keep` makes what is found the measure from now on. Wall time says little
on a machine that others share; instructions of one Python and one set of libraries hardly change from run to run.
They are counted by `perf` where the kernel allows it, else by valgrind's cachegrind.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
KEPT: Final = HERE / "guard.json"
TIMES: Final = {"calibration": (20, 120), "server": (50, 300), "terminal": (50, 300)}
"""Each piece is done that often, in two runs: what they differ by is the work without the start."""
DRIFT: Final = 0.10
"""By so much a ratio may grow."""
PATIENCE: Final = 120
"""Seconds for a run."""

Count = Callable[[list[str]], int]
"""Runs a command and returns the instructions that it took in user space."""


def counter() -> tuple[str, Count] | None:
    """Return how instructions are counted here; None where they can't be."""
    if shutil.which("perf"):
        try:
            _by_perf([sys.executable, "-c", ""])
            return "perf", _by_perf
        except (ValueError, subprocess.SubprocessError):
            pass  # a virtual machine without such counters, or a kernel that keeps them to itself
    return ("cachegrind", _by_cachegrind) if shutil.which("valgrind") else None


def measure(count: Count) -> dict[str, float]:
    """Return for each piece of work the instructions that one message costs, by those of one calibration."""
    costs = {}
    for name, (few, many) in TIMES.items():
        command = [sys.executable, "-m", "benchmarks.pieces", name]
        least, most = (count([*command, str(times)]) for times in (few, many))
        costs[name] = (most - least) / (many - few)
        print(f"{name}: {costs[name]:,.0f} instructions each", flush=True)
    calibration = costs.pop("calibration")
    return {name: cost / calibration for name, cost in costs.items()}


def _by_perf(command: list[str]) -> int:
    done = _run(["perf", "stat", "-x,", "-e", "instructions:u", *command])
    return _found(r"^(\d+),.*instructions", done)


def _by_cachegrind(command: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="chat-guard-") as folder:
        out = Path(folder) / "counts"
        _run(["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}", *command])
        return _found(r"^summary: (\d+)", out.read_text(encoding="utf-8"))


def _found(pattern: str, text: str) -> int:
    """Return the number in a line; ValueError where there is none."""
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ValueError(f"no instructions are told: {text[-200:]}")
    return int(found[1])


def _run(command: list[str]) -> str:
    """Run a command in which nothing is left to chance; return what it said."""
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(HERE.parent)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=PATIENCE).stderr


def compare(found: dict[str, float], kept: dict[str, float]) -> list[str]:
    """Return what has grown, in words."""
    return [
        f"a message costs {name} {ratio / kept[name] - 1:+.1%} instructions"
        for name, ratio in found.items()
        if name in kept and ratio > kept[name] * (1 + DRIFT)
    ]


def main() -> None:
    """Measure, and compare with what is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep what is found, as the measure from now on")
    options = parser.parse_args()
    way = counter()
    if way is None:
        print("Skipped: neither perf nor valgrind counts instructions here.")
        return
    name, count = way
    found = measure(count)
    python = "".join(platform.python_version().rpartition(".")[0])
    all_kept: dict[str, dict[str, float]] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    kept = all_kept.get(python, {})
    for piece, ratio in found.items():
        before = f", kept {kept[piece]:.3f} ({ratio / kept[piece] - 1:+.1%})" if piece in kept else ""
        print(f"{piece}: {ratio:.3f} calibrations a message, counted by {name}{before}")
    if options.keep:
        all_kept[python] = {piece: float(f"{ratio:.4g}") for piece, ratio in found.items()}
        KEPT.write_text(json.dumps(all_kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    elif not kept:
        print(f"Nothing is kept for Python {python}: --keep does it.")
    elif grown := compare(found, kept):
        raise SystemExit("\n".join([*grown, "Where that is meant, --keep makes it the measure."]))


if __name__ == "__main__":
    main()
