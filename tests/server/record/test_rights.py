"""The table of rights."""

import pytest

from server.record.rights import LEAST, Act, Role, may

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


def test_general_is_left_and_closed_by_nobody() -> None:
    """Everyone is in it, and it stays; what else is done there takes a role on the server."""
    for act in (Act.LEAVE, Act.ARCHIVE, Act.INVITE):
        assert not may(Role.OWNER, act, "general")
    for act in (Act.RENAME, Act.DELETE_OTHERS, Act.CALL_ALL):
        assert not may(Role.MEMBER, act, "general")


def test_nobody_governs_a_direct_room() -> None:
    """Whatever is for moderators and those above them: it is the room of a few people, and theirs alone."""
    for act in Act:
        assert may(Role.GUEST, act, "direct") is may(Role.OWNER, act, "direct")
