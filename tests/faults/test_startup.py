"""Start-up does not grow with the messages there are: the plans that it runs read no table of them."""

from pathlib import Path

import apsw
from faults.startup import make, measure

from server.archive.database import open_store
from server.log.sqlite import SqliteLog


def test_a_start_takes_no_step_for_each_message(tmp_path: Path) -> None:
    """SQLite's own count of steps: with ten times the messages a start takes no more of them."""
    steps = []
    for messages in (2_000, 20_000):
        data = tmp_path / str(messages)
        make(data, messages)
        SqliteLog(data / "chat.db").open()
        taken = 0

        def count(connection: apsw.Connection) -> None:
            def step() -> bool:
                nonlocal taken
                taken += 1
                return False

            connection.set_progress_handler(step, 10)

        apsw.connection_hooks.append(count)
        try:
            SqliteLog(data / "chat.db").open()
        finally:
            apsw.connection_hooks.remove(count)
        steps.append(taken)
    assert 0 < steps[1] < 1.1 * steps[0]


def test_the_figures_of_a_small_run(tmp_path: Path) -> None:
    """The long run works: all three kinds of start are measured."""
    figures = measure(tmp_path, 5_000, 1)
    assert all(figures[f"{name}, median"] > 0 for name in ("empty", "ended in order", "killed"))
    assert figures["WAL after a kill, MiB"] > 0
    open_store(tmp_path / "large" / "chat.db").close()
