"""The crowds that servers are measured among, and what of each stands in the table."""

from dataclasses import dataclass, field, replace
from typing import Final

from benchmarks.servers import CEILING, INSPIRCD, NATS, NGIRCD, PEERS, PINGED, REDIS, RESUMING, Server


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
    leaving: int = 0
    """Clients of ours that leave before anything is said, one after another. The ceiling tells nobody."""
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
FANOUT: Final = (
    Scenario("busy", "1 room x 1,000, 100 send", (CEILING, *PEERS), seconds=3),
    Scenario("rooms", "100 rooms x 10, all send", (CEILING, REDIS, NGIRCD, NATS), rooms=100, senders=1000, seconds=3),
    Scenario("single", "1 room x 1,000, one message at a time", (CEILING, REDIS), senders=1, seconds=3),
    Scenario("trickle", "1 room x 1,000, 72 messages/s", (CEILING, INSPIRCD, NGIRCD), rate=72, seconds=5),
    Scenario("spread", "100 rooms x 10, 1 message/s each", (CEILING,), rooms=100, senders=1000, rate=100, seconds=5),
    Scenario("entry", "1,000 enter one room at once", (INSPIRCD, NGIRCD)),
    Scenario("back", "1,000 resume after a restart, 100 missed each", senders=1, script=RESUMING, missed=100),
)
"""A thousand people, beside the peers."""
_IDLE: Final = Scenario(
    "idle", "10,000 idle connections", clients=10_000, rooms=1000, at_once=64, options=("--idle", "8")
)
_BUSY_TLS: Final = Scenario("busy_tls", "1 room x 1,000, 100 send, over TLS", seconds=3, tls=True)
CROWDS: Final = (
    _IDLE,
    replace(_IDLE, name="pinged", title="10,000 idle connections that answer pings", script=PINGED, pings=True),
    replace(_IDLE, name="idle_tls", title="10,000 idle connections over TLS", options=("--idle", "3"), tls=True),
    _BUSY_TLS,
    replace(_BUSY_TLS, name="busy_plain", title="1 room x 1,000, 100 send, without TLS", tls=False),
    Scenario(
        "large",
        "1 room x 10,000",
        (CEILING,),
        clients=10_000,
        senders=1,
        at_once=64,
        seconds=4,
        leaving=5,
    ),
    Scenario("large_busy", "1 room x 10,000, 100 send", (CEILING,), clients=10_000, at_once=64, seconds=4),
    _QUIET,
    _LOUD,
)
"""Ten thousand people, TLS, and whether one loud room delays others."""
PARTS: Final = {"fanout": FANOUT, "crowds": CROWDS}
BY_NAME: Final = {scenario.name: scenario for scenario in (*FANOUT, *CROWDS)}


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
    Line("busy", "bytes_each", "bytes a delivery", goals={"ceiling": "<= 1.01"}),
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
    Line("pinged", "idle_cpu", "processor while idle", "%", 100, goals={"": "< 1"}),
    Line("idle_tls", "kilobytes_each", "memory of each, over the empty server", "KB", goals={"": "<= 40"}),
    Line("idle_tls", "all_in", "until all are in", "s", goals={"": ""}),
    Line("busy_tls", *_PER_CPU, than="busy_plain"),
    Line("large", "all_in", "until all are in", "s", goals={"": ""}),
    Line("large", "settled", "until the last byte about that", "s", goals={"": ""}),
    Line("large", "leave_told", "somebody leaves, until all others are told", "ms", goals={"": ""}),
    Line("large", "all_p50", "one message at a time, p50 until all have it", "ms", goals={"ceiling": ""}),
    Line("large_busy", *_PER_CPU, goals={"ceiling": ""}),
    Line("loud", "p50", "p50 of the 99 rooms", "ms", than="quiet"),
    Line("loud", "p99", "p99 of the 99 rooms", "ms", than="quiet"),
)
