"""Fan-out: one message to many, through real sockets, of `chat-server` and of the naive server beside it."""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median

from benchmarks.figures import filesystem, on_core, say
from benchmarks.load import Load, Result

HERE = Path(__file__).resolve().parent.parent
OURS, NAIVE = "chat-server", "naive"


@dataclass(frozen=True)
class Scenario:
    """A kind of crowd."""

    name: str
    title: str
    rooms: int = 1
    senders: int = 100
    together: bool = False
    only_entry: bool = False


SCENARIOS = (
    Scenario("busy", "1 room x 1,000, 100 send"),
    Scenario("rooms", "100 rooms x 10, all send", rooms=100, senders=1000),
    Scenario("single", "1 room x 1,000, one message at a time", senders=1, together=True),
    Scenario("storm", "1,000 come in at once", only_entry=True),
)


Results = dict[str, dict[str, Result]]
"""By scenario and server."""


def measure(*, quick: bool = False) -> Results:
    """Return the figures of three interleaved runs (their medians), or of a short one."""
    _many_files()
    runs: dict[str, dict[str, list[Result]]] = {}
    for turn in range(1 if quick else 3):
        for scenario in SCENARIOS:
            for name in (OURS, NAIVE):
                say(f"fan-out, run {turn + 1}: {scenario.title}, {name}")
                runs.setdefault(scenario.name, {}).setdefault(name, []).append(_once(scenario, name, quick=quick))
    return {scenario: {name: _middle(of) for name, of in by.items()} for scenario, by in runs.items()}


def talk_rows(results: Results) -> Iterator[list[str]]:
    """Yield the lines of the table of messages; `TALK` names their columns."""
    for scenario in SCENARIOS:
        if scenario.only_entry:
            continue
        ours, naive = results[scenario.name][OURS], results[scenario.name][NAIVE]
        for name, result in ((OURS, ours), (NAIVE, naive)):
            figures = [f"{result.deliveries_per_second:,.0f}", _each(result.deliveries_per_cpu_second)]
            figures += [f"{result.p50:,.1f}", f"{result.p99:,.1f}", f"{result.load_cpu:.0%}"]
            wrong = f"{result.lost} / {result.doubled} / {result.disordered}"
            yield [scenario.title, name, *figures, wrong, f"x {_ratio(ours, naive):,.1f}" if name == OURS else ""]


def entry_rows(results: Results) -> Iterator[list[str]]:
    """Yield the lines of the table of coming in; `ENTRY` names their columns."""
    for scenario in SCENARIOS:
        if not scenario.only_entry:
            continue
        ours, naive = results[scenario.name][OURS], results[scenario.name][NAIVE]
        for name, result in ((OURS, ours), (NAIVE, naive)):
            cpu = "-" if result.entry_cpu is None else f"{result.entry_cpu:.2f}"
            ratio = f"x {naive.settled / ours.settled:,.1f}" if name == OURS else ""
            yield [scenario.title, name, f"{result.all_in:,.0f}", f"{result.settled:,.0f}", cpu, ratio]


TALK = (
    "fan-out",
    "server",
    "deliveries/s",
    "per CPU s",
    "p50 ms",
    "p99 ms",
    "load",
    "lost/doubled/disordered",
    "ratio",
)
ENTRY = ("fan-out", "server", "all in ms", "settled ms", "CPU s", "ratio")


def disk() -> Path:
    """Return a folder on a real disk: on one in memory a commit costs nothing, and figures say nothing."""
    for folder in (Path(tempfile.gettempdir()), Path("/var/tmp"), HERE):  # noqa: S108 - only asked for a new folder
        if folder.is_dir() and filesystem(folder) not in ("tmpfs", "ramfs"):
            return folder
    raise SystemExit("There is no folder on a disk here: set TMPDIR to one.")


def _once(scenario: Scenario, name: str, *, quick: bool) -> Result:
    seconds = 0.0 if scenario.only_entry else 1.5 if quick else 5.0
    with running(name) as (port, pid):
        load = Load(port, pid, 1000, scenario.rooms, scenario.senders, scenario.together, seconds, min(1.0, seconds))
        command = [sys.executable, "-m", "benchmarks.load", json.dumps(asdict(load))]
        with on_core(1):
            done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
    return Result(**json.loads(done.stdout))


@contextlib.contextmanager
def running(name: str) -> Iterator[tuple[int, int]]:
    """Run a server on a core of its own; yield its port and its process."""
    with tempfile.TemporaryDirectory(prefix="chat-bench-", dir=disk()) as data:
        command = [sys.executable, "-m", "benchmarks.naive"]
        if name == OURS:
            command = [sys.executable, "-m", "server.cli", "--port", "0", "--data", f"{data}/data", "--limits", "off"]
        with on_core(0):
            process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process:
            try:
                first = process.stdout.readline()
                found = re.search(r"Listening on .*:(\d+)", first)
                if not found:
                    raise SystemExit(f"{name} did not start: {first}")
                # It says who comes: unread, that would stop it.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield int(found[1]), process.pid
            finally:
                process.terminate()


def _many_files() -> None:
    """Allow for a thousand sockets a process; those started from here inherit it."""
    try:
        import resource
    except ImportError:  # Windows has no such bound
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _middle(results: list[Result]) -> Result:
    """Return of each figure the median, but of what went wrong all."""
    middle = Result()
    for field in fields(Result):
        values = [value for result in results if (value := getattr(result, field.name)) is not None]
        if field.name in ("lost", "doubled", "disordered"):
            setattr(middle, field.name, sum(values))
        else:
            setattr(middle, field.name, median(values) if values else None)
    return middle


def _ratio(ours: Result, naive: Result) -> float:
    if ours.deliveries_per_cpu_second and naive.deliveries_per_cpu_second:
        return ours.deliveries_per_cpu_second / naive.deliveries_per_cpu_second
    return ours.deliveries_per_second / naive.deliveries_per_second


def _each(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
