"""Who somebody is, found out before they are let in: by their password, or by the provider."""

import asyncio
from collections import Counter
from typing import Final, NamedTuple

from server.chat.answers import Answers, refused
from server.chat.ports import Archive, Identity, Passwords, Provider, SignIn
from server.chat.throttle import Attempt, Throttle, origin
from server.chat.world import Peer
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Sso
from server.record.events import time_text

SIGN_INS: Final = 100
"""Sign-ins at the provider that are under way at once: each takes some KiB, and a question every few seconds."""

FROM_ONE: Final = 20
"""Of these from one address: else whoever begins them and never signs in would keep everybody else out."""

LONGEST: Final = 15 * 60
"""Seconds that one may take, whatever the provider says."""

AFTER: Final = 60
"""Seconds that are left, where a sign-in came to nothing, to begin another or come in another way."""


class Proved(NamedTuple):
    """Someone has shown who they are by a password."""

    user: int
    stored: str
    """The hash that it was compared with."""
    anew: str
    """What is to be stored from now on; empty where that stays."""


class Login:
    """Finds out who somebody is, in bounds."""

    def __init__(
        self, archive: Archive, passwords: Passwords, provider: Provider | None, throttle: Throttle, answers: Answers
    ) -> None:
        self._archive = archive
        self._passwords = passwords
        self._provider = provider
        self._throttle = throttle
        self._answers = answers
        self._under_way: Counter[bytes] = Counter()
        """Sign-ins by where they come from."""

    @property
    def provider(self) -> str:
        """How the provider is called; empty where there is none."""
        return self._provider.name if self._provider is not None else ""

    async def by_password(self, host: str, name: str, password: str) -> Proved:
        """Return whose account this is; ProtocolError, the same whether there is no such account or another password.

        Args:
            host: from where.
            name: a checked name.
            password: as it was typed.
        """
        attempt = self._throttle.attempt(host, name)
        known = await self._archive.credentials(name, host)
        if not known.known:
            self._throttle.anywhere(attempt, name)
        anew = await self._verify(attempt, known.password, password, urgent=known.known)
        return Proved(known.user, known.password, anew)

    async def own_password(self, peer: Peer, password: str) -> Proved:
        """Return who is behind a connection, where this is their password; ProtocolError where not."""
        person = peer.here
        attempt = self._throttle.attempt(peer.link.host, person.name)
        stored = await self._archive.password(person.user)
        try:
            anew = await self._verify(attempt, stored, password, urgent=True)
        except ProtocolError as refusal:
            if refusal.code is Code.LOGIN_FAILED:
                raise ProtocolError(Code.LOGIN_FAILED, "That is not your password.") from None
            raise
        return Proved(person.user, stored, anew)

    def attempt(self, peer: Peer) -> Attempt:
        """Count that a code is tried; ProtocolError where too many were."""
        return self._throttle.attempt(peer.link.host)

    async def hash(self, host: str, password: str) -> str:
        """Return what is stored of a new account's password; ProtocolError where too many are made from there."""
        attempt = self._throttle.attempt(host)
        try:
            return await self._passwords.hash(password)
        except ProtocolError:  # there was no room
            attempt.give_back()
            raise

    async def hash_anew(self, password: str) -> str:
        """Return what is stored of the next password of an account."""
        return await self._passwords.hash(password)

    async def at_provider(self, peer: Peer) -> Identity:
        """Tell a connection where to sign in, and return who did; ProtocolError where that came to nothing."""
        if self._provider is None:
            raise ProtocolError(Code.SSO_UNAVAILABLE, "Nobody signs in by a provider here. Come in another way.")
        where = origin(peer.link.host)
        if self._under_way.total() >= SIGN_INS or self._under_way[where] >= FROM_ONE:
            raise ProtocolError(Code.TRY_AGAIN, "Too many are signing in just now. Try again soon.", wait_ms=10_000)
        attempt = self._throttle.attempt(peer.link.host)
        clock = asyncio.get_running_loop().time
        self._under_way[where] += 1
        peer.signing_in = True
        peer.patience = clock() + LONGEST
        try:
            async with asyncio.timeout(LONGEST):
                sign_in = await self._provider.begin()
                self._tell(peer, sign_in)
                identity = await sign_in.wait()
        except TimeoutError:
            raise refused(Code.SSO_EXPIRED) from None
        finally:
            self._under_way -= Counter([where])  # keeps nothing of those that have none
            peer.signing_in = False
            peer.patience = clock() + AFTER
        attempt.give_back()
        return identity

    async def _verify(self, attempt: Attempt, stored: str, password: str, *, urgent: bool) -> str:
        """Return what is to be stored from now on, empty where that stays; ProtocolError where it is another one."""
        try:
            good, anew = await self._passwords.verify(stored, password, urgent=urgent)
        except ProtocolError:  # there was no room: nothing was tried
            attempt.give_back()
            raise
        if not good:
            raise refused(Code.LOGIN_FAILED)
        attempt.give_back()
        return anew

    def _tell(self, peer: Peer, sign_in: SignIn) -> None:
        expires = time_text(sign_in.expires).decode()
        told = Sso(url=sign_in.url, complete=sign_in.complete, code=sign_in.code, expires=expires)
        self._answers.line(peer, encode(told))
        self._answers.deliver()


def need_tls(peer: Peer) -> None:
    """Refuse a secret of an account on a connection that others may read; ProtocolError."""
    if not peer.link.secure:
        raise refused(Code.TLS_REQUIRED)


def check_password(password: str) -> None:
    """Refuse a password that is too short to be one; ProtocolError."""
    if len(password) < limits.PASSWORD_LEAST:
        raise ProtocolError(
            Code.BAD_PASSWORD, f"A password has at least {limits.PASSWORD_LEAST} characters. Take a longer one."
        )
