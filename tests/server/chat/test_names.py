"""The names in use: who is called so, who only asks to be."""

import pytest

from server.chat.names import Names
from server.chat.world import Person
from server.protocol.errors import Code, ProtocolError

LIKE_BOB = "b\u043eb"
"""With a Cyrillic о."""


def here(names: Names, name: str, user: int, *, account: bool = False) -> Person:
    """Let somebody be here under a name."""
    person = Person(name, user, account=account)
    names.claim(name, person)
    return person


def test_nobody_is_found_by_a_name_they_only_ask_for() -> None:
    """Else what is meant for its owner, a role or an invitation, would be theirs while the log has not said no."""
    names = Names()
    mallory = here(names, "mallory", 7)
    names.claim("bob", mallory)
    assert names.find("bob") is None
    assert names.find("Mallory") is mallory
    mallory.name = "bob"
    assert names.find("BOB") is mallory


def test_who_only_asks_for_a_name_does_not_keep_its_owner_out() -> None:
    """Not as one who is here already, either; once the log says no, nothing of the name is theirs."""
    names = Names()
    mallory = here(names, "mallory", 7)
    names.claim("bob", mallory)
    bob = Person("bob", 9, account=True)
    names.take("bob", bob)
    names.free("bob", mallory, keep="mallory")
    assert names.find("bob") is bob
    with pytest.raises(ProtocolError) as refusal:
        names.claim(LIKE_BOB, mallory)
    assert refusal.value.code is Code.LOGIN_NEEDED


def test_who_is_called_so_is_not_put_aside() -> None:
    """Two people under names that look alike are never here at once."""
    names = Names()
    here(names, "bob", 7)
    with pytest.raises(ProtocolError) as refusal:
        names.take(LIKE_BOB, Person(LIKE_BOB, 9, account=True))
    assert refusal.value.code is Code.NAME_TAKEN
