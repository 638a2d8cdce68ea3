"""The fault bench's long runs, one name each.

    python tests/faults kills --kills 200 --json figures.json

`python tests/faults NAME --help` says what a run takes. The exit code is 0 where all held.
"""

import argparse
import importlib
import sys
from pathlib import Path

RUNS = {
    "kills": "the server is killed (SIGKILL) and stopped (SIGSTOP) under load",
    "cuts": "connections are cut, stalled and swallowed under load",
    "power": "the power goes: what was not synced is lost",
    "trace": "durable before visible, as the kernel saw it",
    "disk": "the disk is full, or fails",
    "copies": "an older copy of the database is laid over the newer one",
    "startup": "start-up with a million messages",
    "fuzz": "millions of frames that are none",
    "stalled": "a hundred readers that don't read beside two hundred that do",
    "heartbeat": "peers that fall silent",
    "hostile": "hostile strings in every field that a peer controls",
    "logins": "wrong passwords by the thousand, and what the time of an answer says",
    "drafts": "the terminal is killed while someone types and sends",
    "pins": "those who write the file of known servers are killed",
}
"""Each is the module of this name beside this file, with `main(arguments: list[str]) -> int`."""


def main(arguments: list[str]) -> int:
    """Run one; return its exit code."""
    parser = argparse.ArgumentParser(prog="python tests/faults", formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.epilog = "\n".join(f"  {name:<10} {words}" for name, words in RUNS.items())
    parser.add_argument("name", choices=RUNS, metavar="NAME", help="which run: see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="NAME --help says which")
    given = parser.parse_args(arguments)
    code: int = importlib.import_module(f"faults.{given.name}").main(given.arguments)
    return code


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[0] = str(here.parent)  # this folder has a trace.py, which must not stand for the standard library's
    sys.path.insert(1, str(here.parent.parent))
    sys.exit(main(sys.argv[1:]))
