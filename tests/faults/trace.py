"""Durable before visible, as the kernel saw it: no `ok` or `message` leaves before the sync that covers it returned.

The server runs under strace while clients send messages, each with a word of its own in text and `ref`. For each word:
the first write of the write-ahead log that holds it has returned before a sync of that file begins, and that sync has
returned before the first byte with the word leaves by a socket.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from faults.hosts import SERVER, Host, Ledger, Talker, scratch, until
from faults.report import parser, summary

CALLS: Final = "pwrite64,pwritev,fsync,fdatasync,write,writev,sendto,sendmsg"
UNSYNCED: Final = (
    "import sys; sys.path.insert(1, 'tests'); from faults.power_server import never_sync; never_sync();"
    "from server.cli import main; main()"
)
"""A server whose promise was taken away."""
_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\((\d+)<([^>]*)>)(.*)")
_WORD = re.compile(r"w[0-9]+w[0-9]+w")


class Findings(NamedTuple):
    """What a trace shows."""

    stored: int
    """Words that were written to the log."""
    shown: int
    """Words that left by a socket."""
    syncs: int
    faults: list[str]


def judge(lines: Iterable[str]) -> Findings:
    """Read strace's lines (`-f -y`), in their order: a call begins with its line and has returned with its end."""
    written: dict[str, int] = {}  # when the write that holds a word had returned
    synced = -1  # what was written before this moment is on the disk
    shown: set[str] = set()
    faults: list[str] = []
    syncs = 0
    waiting: dict[str, tuple[str, str, int, list[str]]] = {}  # per thread: call, file, its begin, its words
    for now, line in enumerate(lines):
        found = _LINE.match(line)
        if not found:
            continue
        thread, resumed, call, _, file, rest = found.groups()
        if resumed:
            if thread not in waiting:
                continue
            call, file, began, words = waiting.pop(thread)
        else:
            began, words = now, _WORD.findall(rest)
            if file.startswith(("socket:", "TCP:")):
                for word in words:
                    if word not in shown:
                        shown.add(word)
                        if written.get(word, now) >= synced:
                            state = "written and not synced" if word in written else "not written"
                            faults.append(f"line {now + 1}: {word} leaves while it is {state}")
            if rest.endswith("<unfinished ...>"):
                waiting[thread] = call, file, began, words
                continue
        if not file.endswith("-wal") or not re.search(r"\) += \d+$", rest):
            continue
        if call in ("fsync", "fdatasync"):
            synced = max(synced, began)
            syncs += 1
        else:
            for word in words:
                written.setdefault(word, now)
    return Findings(len(written), len(shown), syncs, faults)


def unusable() -> str:
    """Say why strace can't be used here; empty where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-D", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "strace may not trace here"


def traced(output: Path, *more: str) -> list[str]:
    """Return what starts a program under strace so that it is our child, and strace is not."""
    return ["strace", "-D", "-f", "-y", "-s", "70000", "-o", str(output), *more]


async def run(folder: Path, messages: int, *, synchronous: str = "full", clients: int = 5) -> tuple[Findings, Ledger]:
    """Trace a server while clients send so many messages in all, and judge."""
    ledger = Ledger()
    output = folder / "trace"
    server = [sys.executable, "-c", UNSYNCED] if synchronous == "off" else SERVER
    data = folder / "data"
    host = Host(data, before=[*traced(output, "-e", f"trace={CALLS}"), *server]).listening()
    talkers = [Talker(f"c{number}", ledger, f"w{number}w{{}}w".format) for number in range(clients)]
    for talker in talkers:
        talker.most = messages // clients
    talking = [asyncio.create_task(talker.talk(host.port)) for talker in talkers]
    try:
        total = sum(talker.most or 0 for talker in talkers)
        await until(lambda: len(ledger.acked) == total and len(ledger.shown) == total, patience=20)
    finally:
        host.stop()
        await asyncio.gather(*talking)
    await until(lambda: "exited with" in tail(output))
    with output.open(errors="replace") as lines:
        return judge(line.rstrip("\n") for line in lines), ledger


def tail(file: Path) -> str:
    """Return the end of a file."""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - 4096))
        return opened.read().decode(errors="replace")


def main(arguments: list[str]) -> int:
    """The long run."""
    parse = parser("trace", __doc__.split("\n")[0])
    parse.add_argument("--messages", type=int, default=10_000)
    parse.add_argument("--synchronous", choices=("full", "off"), default="full", help="off must be found out")
    given = parse.parse_args(arguments)
    if reason := unusable():
        sys.stderr.write(f"{reason}\n")
        return 2
    began = time.monotonic()
    with scratch() as folder:
        findings, ledger = asyncio.run(run(folder, given.messages, synchronous=given.synchronous))
        faults = findings.faults + ledger.faults + ledger.compare(folder / "data" / "chat.db")
    if findings.stored < given.messages or findings.shown < given.messages:
        faults.append("the trace does not show all messages")
    figures = {
        "messages": len(ledger.acked),
        "seen written": findings.stored,
        "seen leaving": findings.shown,
        "syncs of the log": findings.syncs,
        "left too early": len(findings.faults),
        "synchronous": given.synchronous,
        "seconds": round(time.monotonic() - began, 1),
    }
    return summary("trace", given, figures, faults)
