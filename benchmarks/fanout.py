"""The server among many clients: chat-server, the ceiling and the installed peers, by the same load and in turn.

On Linux with a C compiler. The server has the first core and the load the second.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Final

from benchmarks import building
from benchmarks.figures import alone, on_core, say
from benchmarks.rows import Row
from benchmarks.servers import (
    AGAIN,
    CEILING,
    INSPIRCD,
    NATS,
    NGIRCD,
    OURS,
    PEERS,
    PINGED,
    REDIS,
    RESUMING,
    Server,
    free_port,
    running,
    started,
    workplace,
)

TURNS: Final = 3
PATIENCE: Final = 180.0
"""Seconds after which a run is given up."""
NOTHING: Final = ("lost", "doubled", "disordered", "gone", "redialled")
"""What must be 0 in every run. `gone`: clients that were put out; `redialled`: that were turned away at first."""

Result = dict[str, float]
"""What load.c prints: seconds, kilobytes of 1,024, milliseconds (p50, p99, all_p50, all_p99, late), of a core."""
Results = dict[str, dict[str, list[Result]]]
"""By scenario and server, one a turn."""


@dataclass(frozen=True)
class Scenario:
    """A kind of crowd."""

    name: str
    title: str
    peers: tuple[Server, ...] = ()
    clients: int = 1000
    rooms: int = 1
    senders: int = 100
    """In a closed loop: each sends its next message when everyone has its last one."""
    rate: float = 0.0
    """Messages a second that are due, of all senders together; their times are random. 0: a closed loop."""
    seconds: float = 0.0
    """Length of what is measured; 0: coming in is all."""
    at_once: int = 1000
    """Clients that are coming in at one time."""
    options: tuple[str, ...] = ()
    """More for the load."""
    script: tuple[tuple[str, str], ...] | None = None
    """How clients come in to ours, if not as ever."""
    pings: bool = False
    """Clients answer them."""
    tls: bool = False
    missed: int = 0
    """Messages that were said before the server was killed and started anew, and that everyone then catches up."""


_QUIET: Final = Scenario(
    "quiet",
    "99 rooms at 1 message/s, a room of 100 says nothing",
    clients=1090,
    rooms=100,
    senders=1090,
    rate=99,
    seconds=4,
    options=("--crowd", "100", "--hush"),
)
_LOUD: Final = replace(
    _QUIET,
    name="loud",
    title="99 rooms at 1 message/s beside a room of 100 that all send",
    options=("--crowd", "100"),
)
SCENARIOS: Final = (
    Scenario("busy", "1 room x 1,000, 100 send", (CEILING, *PEERS), seconds=3),
    Scenario("rooms", "100 rooms x 10, all send", (CEILING, REDIS, NGIRCD, NATS), rooms=100, senders=1000, seconds=3),
    Scenario("single", "1 room x 1,000, one message at a time", (CEILING, REDIS), senders=1, seconds=3),
    Scenario("trickle", "1 room x 1,000, 72 messages/s", (CEILING, INSPIRCD, NGIRCD), rate=72, seconds=5),
    Scenario("spread", "100 rooms x 10, 1 message/s each", (CEILING,), rooms=100, senders=1000, rate=100, seconds=5),
    Scenario("entry", "1,000 enter one room at once", (INSPIRCD, NGIRCD)),
    Scenario("back", "1,000 resume after a restart, 100 missed each", senders=1, script=RESUMING, missed=100),
    Scenario("idle", "10,000 idle connections", clients=10_000, rooms=1000, at_once=64, options=("--idle", "8")),
    Scenario(
        "pinged",
        "10,000 idle connections that answer pings",
        clients=10_000,
        rooms=1000,
        at_once=64,
        options=("--idle", "8"),
        script=PINGED,
        pings=True,
    ),
    Scenario(
        "idle_tls",
        "2,000 idle connections over TLS",
        clients=2000,
        rooms=200,
        at_once=64,
        options=("--idle", "3"),
        tls=True,
    ),
    Scenario("busy_tls", "1 room x 1,000, 100 send, over TLS", seconds=3, tls=True),
    Scenario("large", "1 room x 10,000, 100 send", (CEILING,), clients=10_000, at_once=64, seconds=4),
    _QUIET,
    _LOUD,
)
_BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}


@dataclass(frozen=True)
class Line:
    """Which figure of a scenario is a row of the table, and what is compared with it."""

    scenario: str
    figure: str
    what: str
    unit: str = ""
    scale: float = 1.0
    goals: dict[str, str] = field(default_factory=dict)
    """By the peer's name, of the ratio to it; by an empty name, of the figure itself."""
    above: str = ""
    """A goal of how much it is above the ceiling's, at most."""
    than: str = ""
    """The scenario of ours that it is compared with."""


_PER_CPU: Final = ("per_cpu_second", "deliveries per CPU second")
LINES: Final = (
    Line(
        "busy",
        *_PER_CPU,
        goals={
            "ceiling": ">= 0.55",
            "redis": ">= 1.4",
            "inspircd": ">= 2.5",
            "ngircd": ">= 2.5",
            "nats-server": ">= 7",
        },
    ),
    Line("busy", "p99", "p99 of a delivery", "ms", goals={"ceiling": ""}),
    Line("busy", "bytes_each", "bytes a delivery", goals={"ceiling": ""}),
    Line(
        "rooms", *_PER_CPU, goals={"ceiling": ">= 0.33", "redis": ">= 0.5", "ngircd": ">= 3", "nats-server": ">= 1.7"}
    ),
    Line("single", *_PER_CPU, goals={"ceiling": ">= 0.75", "redis": ""}),
    Line("trickle", "p50", "p50 of a delivery", "ms", goals={"ceiling": "<= 1.7"}),
    Line("trickle", "p99", "p99 of a delivery", "ms", goals={"ceiling": "<= 1.8"}),
    Line("trickle", "all_p50", "p50 of the last member", "ms", goals={"inspircd": "< 1", "ngircd": "< 1"}),
    Line("spread", "p50", "p50 of a delivery", "ms", above="<= 0.8"),
    Line(
        "entry",
        "settled",
        "until the last byte about it",
        "s",
        goals={"": "<= 0.3", "inspircd": "< 1", "ngircd": "< 1"},
    ),
    Line("back", "back", "until the last has its last", "s", goals={"": "<= 3"}),
    Line("idle", "kilobytes_each", "memory of each, over the empty server", "KB", goals={"": "<= 4"}),
    Line("idle", "all_in", "until all are in", "s", goals={"": "<= 3"}),
    Line("idle", "idle_cpu", "processor while idle", "%", 100, goals={"": "< 1"}),
    Line("pinged", "idle_cpu", "processor while idle", "%", 100, goals={"": ""}),
    Line("idle_tls", "kilobytes_each", "memory of each, over the empty server", "KB", goals={"": "<= 40"}),
    Line("idle_tls", "all_in", "until all are in", "s", goals={"": ""}),
    Line("busy_tls", *_PER_CPU, than="busy"),
    Line("large", "all_in", "until all are in", "s", goals={"": ""}),
    Line("large", *_PER_CPU, goals={"ceiling": ""}),
    Line("loud", "p50", "p50 of the 99 rooms", "ms", than="quiet"),
    Line("loud", "p99", "p99 of the 99 rooms", "ms", than="quiet"),
)


def missing() -> str:
    """Return why nothing of this can be measured here; empty where it can."""
    return building.missing()


def versions() -> dict[str, str]:
    """Return what the installed peers say of themselves."""
    return {peer.name: peer.version() for peer in PEERS if peer.installed}


def measure(*, quick: bool = False, only: tuple[str, ...] = ()) -> Results:
    """Return the figures of three turns, or of a short one; ValueError where something was lost, doubled or disordered.

    Args:
        quick: a single, short turn.
        only: the names of the scenarios; all where there are none.
    """
    results: Results = {}
    absent: set[tuple[str, str]] = set()
    for turn in range(1 if quick else TURNS):
        for scenario in SCENARIOS:
            if (only and scenario.name not in only) or (scenario.tls and not building.load()[1]):
                continue
            by = results.setdefault(scenario.name, {})
            for server in (OURS, *(peer for peer in scenario.peers if peer.installed)):
                if (scenario.name, server.name) in absent:
                    continue
                say(f"turn {turn + 1}: {scenario.title}, {server.name}")
                try:
                    result = _once(scenario, server, quick=quick)
                except subprocess.SubprocessError as error:
                    if server is OURS:
                        raise
                    say(f"{server.name} is left out there: {error}")
                    absent.add((scenario.name, server.name))
                    by.pop(server.name, None)
                    continue
                if server is OURS and any(result[wrong] for wrong in NOTHING):
                    raise ValueError(f"{scenario.title}: {result}")
                by.setdefault(server.name, []).append(result)
    return results


def rows(results: Results) -> Iterator[Row]:
    """Yield the rows of the table."""
    for line in LINES:
        if line.scenario not in results or (line.than and line.than not in results):
            continue
        ours = _values(results, line, line.scenario, OURS.name)
        what, own = f"{_BY_NAME[line.scenario].title}: {line.what}", median(ours)
        if line.than:
            other = _values(results, line, line.than, OURS.name)
            beside = "without TLS" if _BY_NAME[line.scenario].tls else "without that room"
            yield Row(what, own, line.unit, beside, median(other), _ratio(ours, other))
        if line.above and CEILING.name in results[line.scenario]:
            other = _values(results, line, line.scenario, CEILING.name)
            more = median(mine - least for mine, least in zip(ours, other, strict=True))
            yield Row(
                f"{what}, above the ceiling's", more, line.unit, "the ceiling's own", median(other), goal=line.above
            )
        for name, goal in line.goals.items():
            if not name:
                yield Row(what, own, line.unit, goal=goal)
            elif name in results[line.scenario]:
                other = _values(results, line, line.scenario, name)
                yield Row(what, own, line.unit, name, median(other), _ratio(ours, other), goal)


def _values(results: Results, line: Line, scenario: str, server: str) -> list[float]:
    return [line.scale * result[line.figure] for result in results[scenario][server]]


def _ratio(ours: list[float], others: list[float]) -> float | None:
    """Return the median ratio of neighbours: machines have moods."""
    ratios = [mine / other for mine, other in zip(ours, others, strict=True) if other]
    return median(ratios) if ratios else None


def _once(scenario: Scenario, server: Server, *, quick: bool) -> Result:
    with alone():
        if scenario.missed:
            return _come_back(scenario, server)
        with running(server) as (port, pid), on_core(1):
            command = _command(scenario, server, port, pid, quick=quick)
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE)
    return dict(json.loads(done.stdout))


def _come_back(scenario: Scenario, server: Server) -> Result:
    """Kill the server when all were told everything, start it anew, and let all come back."""
    with workplace() as folder:
        port = free_port()
        with started(server, folder, port) as process:
            command = [
                *_command(scenario, server, port, process.pid),
                "--missed",
                str(scenario.missed),
                "--again",
                AGAIN,
            ]
            with on_core(1):
                load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert load.stdout is not None
            if not load.stdout.readline():
                raise SystemExit(f"{scenario.title}: the load has ended")
            process.kill()
        with started(server, folder, port):
            said, _ = load.communicate("back\n", timeout=PATIENCE)
    return dict(json.loads(said))


def _command(scenario: Scenario, server: Server, port: int, pid: int, *, quick: bool = False) -> list[str]:
    """Return how to run the load."""
    script = scenario.script if scenario.script and server is OURS else server.script
    said = [part for say_, hear in script for part in ("--say", say_, "--hear", hear)]
    sizes = {"clients": scenario.clients, "rooms": scenario.rooms, "senders": scenario.senders, "rate": scenario.rate}
    sizes |= {
        "at-once": scenario.at_once,
        "seconds": min(0.5, scenario.seconds) if quick else scenario.seconds,
        "warm": 0.2 if quick else 0.5,
    }
    options = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
    options += [*scenario.options, *(["--tls"] if scenario.tls else [])]
    if scenario.pings:
        options += ["--ping", '{"type":"ping"', "--pong", '{"type":"pong"}\n']
    where = ["--port", str(port), "--server", str(pid), "--echo", str(int(server.echo))]
    return [str(building.load()[0]), *where, *said, "--send", server.send, *options]
