"""Guards the hot paths: how many instructions a message costs, told as a ratio to work that has nothing to do with it.

`python3 run.py python benchmarks/guard.py`; `--keep` makes what is found the measure from now on. Wall time says little
on a machine that others share; instructions of one Python and one set of libraries hardly change from run to run, nor
from machine to machine where valgrind counts them, which shows all programs the same processor.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import interpreter

KEPT: Final = Path(__file__).resolve().parent / "guard.json"
TIMES: Final = {"calibration": (20, 120), "server": (50, 800), "terminal": (50, 300)}
"""Each piece is done that often, in two runs: what they differ by is the work without the start."""
DRIFT: Final = 0.08
"""By so much a ratio may grow: runs differ by less than a hundredth, so what costs a tenth more is found."""
LOOKS: Final = 3
"""How often a ratio that has grown is measured before that is believed. The least counts: what disturbs, adds."""
PATIENCE: Final = 600
"""Seconds for a run."""


def measure(kept: dict[str, float]) -> dict[str, float]:
    """Return for each piece of work the instructions that one message costs, by those of one calibration."""
    pieces = dict(TIMES)
    calibration, found = _cost("calibration", pieces.pop("calibration")), {}
    for name, times in pieces.items():
        found[name] = _cost(name, times) / calibration
        for _ in range(1, LOOKS):
            if name in kept and found[name] > kept[name] * (1 + DRIFT):
                found[name] = min(found[name], _cost(name, times) / calibration)
    return found


def _cost(name: str, times: tuple[int, int]) -> float:
    """Return the instructions in user space of doing a piece of work once."""
    command = interpreter.python("-m", "benchmarks.pieces", name)
    _run([*command, "1"])  # compiles what has never run here
    with tempfile.TemporaryDirectory(prefix="chat-guard-") as folder:
        out = Path(folder) / "counts"
        counter = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}"]
        counts = []
        for many in times:
            _run([*counter, *command, str(many)])
            said = out.read_text(encoding="utf-8")
            counts.append(int(said.rpartition("summary: ")[2]))
    cost = (counts[1] - counts[0]) / (times[1] - times[0])
    print(f"{name}: {cost:,.0f} instructions each", flush=True)
    return cost


def _run(command: list[str]) -> None:
    """Run a command in which nothing is left to chance."""
    environment = interpreter.environment() | {"PYTHONHASHSEED": "0"}
    subprocess.run(command, cwd=interpreter.HERE, env=environment, capture_output=True, check=True, timeout=PATIENCE)


def main() -> None:
    """Measure, and compare with what is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="keep what is found, as the measure from now on")
    parser.add_argument("--python", type=Path, metavar="PATH", help="the interpreter that runs the pieces")
    options = parser.parse_args()
    if options.python:
        os.environ[interpreter.VARIABLE] = str(options.python.absolute())
    if not shutil.which("valgrind"):
        print("Skipped: there is no valgrind here, by which instructions are counted.")
        return
    kind = re.sub(r"\.\d+,", ",", interpreter.described())  # what is kept holds for all patches of a version
    all_kept: dict[str, dict[str, float]] = json.loads(KEPT.read_text(encoding="utf-8"))
    kept = all_kept.get(kind, {})
    found = measure({} if options.keep else kept)
    for piece, ratio in found.items():
        before = f", kept {kept[piece]:.4g} ({ratio / kept[piece] - 1:+.1%})" if piece in kept else ""
        print(f"{piece}: {ratio:.4g} calibrations a message{before}")
    if options.keep:
        all_kept[kind] = {piece: float(f"{ratio:.4g}") for piece, ratio in found.items()}
        KEPT.write_text(json.dumps(all_kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    elif not kept:
        print(f"Nothing is kept for {kind}: --keep does it.")
    elif any(found[piece] > ratio * (1 + DRIFT) for piece, ratio in kept.items()):
        raise SystemExit("A message has become dearer. Where that is meant, --keep makes it the measure.")


if __name__ == "__main__":
    main()
