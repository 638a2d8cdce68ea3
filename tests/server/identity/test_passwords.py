"""Passwords: hashed off the loop, in bounds, and made anew when the parameters have changed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.identity.passwords import ArgonPasswords
from server.protocol.errors import Code, ProtocolError


@pytest.fixture
async def passwords() -> AsyncIterator[ArgonPasswords]:
    """As they are, but quick."""
    passwords = ArgonPasswords(memory=64, passes=1, waiting=3)
    yield passwords
    passwords.close()


async def test_a_password_is_known_again(passwords: ArgonPasswords) -> None:
    """The right one, and no other; and it is not kept."""
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert "correct" not in stored
    assert await passwords.verify(stored, "correct horse") == (True, "")
    assert await passwords.verify(stored, "Correct horse") == (False, "")
    assert await passwords.hash("correct horse") != stored


async def test_the_parameters_are_owasps() -> None:
    """Argon2id, 19 MiB, two passes, one lane."""
    passwords = ArgonPasswords()
    assert (await passwords.hash("correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    passwords.close()


@pytest.mark.parametrize("stored", ["", "no hash", "$argon2id$v=19$m=64,t=1,p=1$broken"])
async def test_where_nothing_is_stored_the_answer_is_no(passwords: ArgonPasswords, stored: str) -> None:
    """Whatever is given, the empty password included."""
    for password in ("", "correct horse", stored):
        assert await passwords.verify(stored, password) == (False, "")


async def test_a_hash_of_other_parameters_is_made_anew(passwords: ArgonPasswords) -> None:
    """With the password at hand; the new one is good, and stays."""
    older = ArgonPasswords(memory=32, passes=1)
    stored = await older.hash("correct horse")
    older.close()
    good, anew = await passwords.verify(stored, "correct horse")
    assert good
    assert anew.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await passwords.verify(anew, "correct horse") == (True, "")
    assert await passwords.verify(stored, "wrong horse") == (False, "")


async def test_so_many_wait_and_no_more() -> None:
    """Who comes later is told when to come again; the urgent have room of their own, and go first."""
    passwords = ArgonPasswords(memory=8 * 1024, passes=3, waiting=3)
    order: list[str] = []

    async def verify(name: str, *, urgent: bool = False) -> None:
        await passwords.verify("", name, urgent=urgent)
        order.append(name)

    many = [asyncio.ensure_future(verify(f"other {number}")) for number in range(20)]
    urgent = asyncio.ensure_future(verify("urgent", urgent=True))
    answers = await asyncio.gather(*many, return_exceptions=True)
    await urgent
    refused = [answer for answer in answers if isinstance(answer, ProtocolError)]
    assert 16 <= len(refused) <= 17  # three wait, and one may be worked on
    assert {(refusal.code, refusal.wait_ms is None) for refusal in refused} == {(Code.TRY_AGAIN, False)}
    assert order.index("urgent") <= 1
    passwords.close()


async def test_those_that_are_urgent_leave_every_second_turn_to_others(passwords: ArgonPasswords) -> None:
    """Whoever has an account could else keep all others out, by logging in to it all the time."""
    order: list[str] = []

    async def verify(number: int, *, urgent: bool) -> None:
        await passwords.verify("", str(number), urgent=urgent)
        order.append("urgent" if urgent else "other")

    await asyncio.gather(*[verify(number, urgent=number < 3) for number in range(6)])
    assert order[:5].count("other") >= 2
    assert order[:5].count("urgent") >= 2


async def test_who_waits_no_more_costs_nothing(passwords: ArgonPasswords) -> None:
    """A connection that has gone leaves nothing to do."""
    waiting = asyncio.ensure_future(passwords.verify("", "gone"))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await passwords.verify("", "here") == (False, "")
    assert waiting.cancelled()
