"""The table of rights."""

import pytest

from server.chat.rights import LEAST, Act, Role, may

SORTS = ["general", "public", "private", "direct"]


@pytest.mark.parametrize("act", list(Act))
def test_each_act_has_its_row(act: Act) -> None:
    """For every kind of room; nobody may do more in a lower role."""
    assert list(LEAST[act]) == SORTS
    for sort in LEAST[act]:
        allowed = [may(role, act, sort) for role in Role]
        assert allowed == sorted(allowed)


def test_what_is_closed_to_strangers() -> None:
    """They enter what is public, and nothing else."""
    for act in Act:
        for sort in LEAST[act]:
            assert may(Role.STRANGER, act, sort) is (act is Act.ENTER and sort == "public")


def test_general_belongs_to_nobody() -> None:
    """Nobody can close it, take over its name, or delete what others say; nobody leaves."""
    for act in (Act.LEAVE, Act.ARCHIVE, Act.RENAME, Act.DELETE_OTHERS, Act.CALL_ALL, Act.INVITE):
        assert not may(Role.OWNER, act, "general")
