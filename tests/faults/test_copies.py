"""A copy of the database in place of the newer one, or beside it: noticed by all, and no histories are mixed."""

from pathlib import Path

import pytest
from faults.copies import MANNERS, restored, side_by_side


@pytest.mark.parametrize("manner", MANNERS)
async def test_an_older_copy_is_noticed(tmp_path: Path, manner: str) -> None:
    """Also once it has grown past what the clients had seen; who had seen only what it has goes on."""
    assert not await restored(tmp_path, manner, grown=True, clients=3)


async def test_a_copy_beside_its_original_is_another_history(tmp_path: Path) -> None:
    """A cursor of what came after the copy is good where it was made, and nowhere else."""
    assert not await side_by_side(tmp_path)
