"""The file of known servers and kills: a short run, and one with careless writers, which must be found out."""

from pathlib import Path

from faults import pins


def test_the_known_servers_survive_kills_of_those_who_write_them(tmp_path: Path, seed: int) -> None:
    """The file is whole each time, and has all that was told as done."""
    changes, faults = pins.run(tmp_path, 4, seed)
    assert not faults
    assert changes > 4 * pins.WRITERS


def test_a_file_that_is_written_in_place_is_found_out(tmp_path: Path, seed: int) -> None:
    """Half of it is there after a kill, sooner or later."""
    assert pins.run(tmp_path, 50, seed, careless=True)[1]
