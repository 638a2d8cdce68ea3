"""The server among many clients: chat-server, the ceiling and the installed peers, by the same load and in turn.

On Linux with a C compiler. The server has the first core and the load the second.
"""

import json
import subprocess
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Final

from benchmarks import building
from benchmarks.figures import alone, on_core, say
from benchmarks.rows import Row
from benchmarks.scenarios import BY_NAME, LINES, Line, Scenario
from benchmarks.servers import AGAIN, CEILING, OURS, Server, free_port, running, started, workplace

TURNS: Final = 3
PATIENCE: Final = 180.0
"""Seconds after which a run is given up."""
ENTRY: Final = 20
"""Seconds within which a peer lets all in. One that does not has that turn of a scenario left out; from the second
time on it is not tried again where it failed. Ours has a minute, and ends the measurement if that is not enough."""
NOTHING: Final = ("lost", "doubled", "disordered", "gone", "redialled")
"""What must be 0 in every run. `gone`: clients that were put out; `redialled`: that were turned away at first."""

Result = dict[str, float]
"""What load.c prints: seconds, kilobytes of 1,024, milliseconds (p50, p99, all_p50, all_p99, late, leave_told), of a
core; and in which `turn`."""
Results = dict[str, dict[str, list[Result]]]
"""By scenario and server, one a turn; none for one that never let all in."""


def measure(scenarios: Iterable[Scenario], notes: list[str], *, quick: bool = False) -> Results:
    """Return the figures of three turns, or of a short one.

    Args:
        scenarios: what is measured.
        notes: gets a line for each time that a peer did not let all in.
        quick: a single, short turn.

    Raises:
        ValueError: ours lost, doubled or disordered something, or put somebody out.
        CalledProcessError: ours did not let all in.
    """
    results: Results = {}
    failures: dict[str, int] = {}
    for turn, scenario, server in _turns(scenarios, 1 if quick else TURNS):
        done = results.setdefault(scenario.name, {}).setdefault(server.name, [])
        where = f"{scenario.title}, {server.name}, turn {turn + 1}"
        if len(done) < turn and failures[server.name] > 1:
            continue  # it was given up here
        say(where)
        try:
            result = _once(scenario, server, quick=quick)
        except subprocess.CalledProcessError as error:
            why = error.stderr.strip()
            if server is OURS:
                error.add_note(f"{where}: {why}")
                raise
            failures[server.name] = failures.get(server.name, 0) + 1
            notes.append(f"{where}: {why}")
            continue
        if server is OURS and any(result[wrong] for wrong in NOTHING):
            raise ValueError(f"{where}: {result}")
        done.append(result | {"turn": turn})
    return results


def _turns(scenarios: Iterable[Scenario], count: int) -> Iterator[tuple[int, Scenario, Server]]:
    """Yield what is measured, in its order."""
    able = [scenario for scenario in scenarios if not scenario.tls or building.load()[1]]
    for turn in range(count):
        for scenario in able:
            yield turn, scenario, OURS
            for peer in scenario.peers:
                if peer.installed:
                    yield turn, scenario, peer


def rows(results: Results) -> Iterator[Row]:
    """Yield the rows of the table."""
    for line in LINES:
        if line.scenario not in results or (line.than and line.than not in results):
            continue
        by = results[line.scenario]
        ours = _values(by[OURS.name], line)
        what, own = f"{BY_NAME[line.scenario].title}: {line.what}", median(ours.values())
        if line.than:
            other = _values(results[line.than][OURS.name], line)
            beside = "without TLS" if BY_NAME[line.scenario].tls else "without that room"
            yield Row(what, own, line.unit, beside, median(other.values()), _ratio(ours, other))
        if line.above and by.get(CEILING.name):
            other = _values(by[CEILING.name], line)
            more = median(ours[turn] - least for turn, least in other.items())
            beside = "the ceiling's own"
            yield Row(f"{what}, above the ceiling's", more, line.unit, beside, median(other.values()), goal=line.above)
        for name, goal in line.goals.items():
            if not name:
                yield Row(what, own, line.unit, goal=goal)
            elif by.get(name):
                other = _values(by[name], line)
                yield Row(what, own, line.unit, name, median(other.values()), _ratio(ours, other), goal)
            elif name in by:
                yield Row(what, own, line.unit, f"{name}: not all in after {ENTRY} s")


def _values(results: list[Result], line: Line) -> dict[float, float]:
    """Return a figure of each turn."""
    return {result["turn"]: line.scale * result[line.figure] for result in results}


def _ratio(ours: dict[float, float], others: dict[float, float]) -> float | None:
    """Return the median ratio of neighbours: machines have moods."""
    ratios = [ours[turn] / other for turn, other in others.items() if other]
    return median(ratios) if ratios else None


def _once(scenario: Scenario, server: Server, *, quick: bool) -> Result:
    with alone():
        if scenario.missed:
            return _come_back(scenario, server)
        with running(server) as (port, pid), on_core(1):
            command = _command(scenario, server, port, pid, quick=quick)
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
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
        "at-once": min(scenario.at_once, server.at_once),
        "seconds": min(0.5, scenario.seconds) if quick else scenario.seconds,
        "warm": 0.2 if quick else 0.5,
    }
    options = [part for name, value in sizes.items() for part in (f"--{name}", str(value))]
    options += [*scenario.options, *(["--tls"] if scenario.tls else [])]
    if scenario.pings:
        options += ["--ping", '{"type":"ping"', "--pong", '{"type":"pong"}\n']
    if server is OURS:
        options += ["--leaving", str(scenario.leaving)]
    else:
        options += ["--patience", str(ENTRY)]
    where = ["--port", str(port), "--server", str(pid), "--echo", str(int(server.echo))]
    return [str(building.load()[0]), *where, *said, "--send", server.send, *options]
