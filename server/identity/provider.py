"""Signing in at a provider by a code that one types on any device (RFC 8628): implements the port `Provider`."""

import asyncio
import importlib.util
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from server.chat.ports import Identity
from server.identity.issuer import Begun, Issuer, RefusalError
from server.identity.web import TroubleError, trusted
from server.protocol.errors import Code, ProtocolError
from server.protocol.text import clean_line

LIFETIME: Final = 900
"""Seconds for which a code is good at most, whatever the provider says."""

SLOWER: Final = 5
"""Seconds that `slow_down` adds between two questions (RFC 8628, section 3.5)."""

SELDOM: Final = 60
"""Seconds between two questions at most, so that who has signed in is not kept waiting for longer."""

NAME_CHARS: Final = 40
"""Characters of a provider's name that fit a line with something beside."""

Pause = Callable[[float], Awaitable[None]]
"""Waits for some seconds."""

log = logging.getLogger("chat")


class SsoError(Exception):
    """Single sign-on can't work as it was set up; the text says why and what to do."""


def secret_from(file: Path) -> str:
    """Return the client's secret from a file. Raises SsoError."""
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "it is no text"
        raise SsoError(f"the secret for single sign-on can't be read from {file}: {why}.") from None
    if not secret:
        raise SsoError(f"the file {file}, which should hold the secret for single sign-on, is empty.")
    return secret


class OpenIdProvider:
    """An OpenID Connect provider.

    Args:
        issuer: its address, as it names itself.
        client: the id that it has given to this server.
        secret: of the same client; empty for a public one.
        name: how people call it; without one, its host.
        pause: waits between two questions.

    Raises:
        SsoError: it can't work like that.
    """

    def __init__(
        self, issuer: str, client: str, secret: str = "", name: str = "", pause: Pause = asyncio.sleep
    ) -> None:
        if not trusted(issuer):
            raise SsoError(f"the provider for single sign-on must have an address with https://, not {issuer!r}.")
        if not all(map(importlib.util.find_spec, ("httpx", "joserfc"))):
            raise SsoError("single sign-on needs two more packages: pip install 'chat-tui[sso]' brings them.")
        self.name = clean_line(name or issuer.split("/")[2])[:NAME_CHARS]
        self._issuer = Issuer(issuer, client, secret)
        self._pause = pause
        self._complaint = ""

    async def begin(self) -> "CodeSignIn":
        """Begin a sign-in. Raises ProtocolError where the provider can't be reached."""
        try:
            begun = await self._issuer.begin()
        except (TroubleError, RefusalError) as error:
            raise self.unavailable(error) from None
        self._complaint = ""
        return CodeSignIn(self, self._issuer, begun, self._pause)

    async def close(self) -> None:
        """End all connections to it."""
        await self._issuer.close()

    def unavailable(self, error: TroubleError | RefusalError) -> ProtocolError:
        """Tell the log why it can't be used, once as long as that is so, and return what to tell who signs in."""
        why = f"it refused this server with {error.error!r}" if isinstance(error, RefusalError) else str(error)
        if why != self._complaint:
            log.warning("Nobody can sign in by %s: %s.", self.name, why)
        self._complaint = why
        return ProtocolError(
            Code.SSO_UNAVAILABLE, f"Signing in by {self.name} does not work now. Try later, or come in another way."
        )


class CodeSignIn:
    """A sign-in that is under way: implements the port `SignIn`."""

    def __init__(self, provider: OpenIdProvider, issuer: Issuer, begun: Begun, pause: Pause) -> None:
        good = min(begun.expires_in, LIFETIME)
        self.url = begun.verification_uri
        self.complete = begun.verification_uri_complete
        self.code = begun.user_code
        self.expires = int((time.time() + good) * 1000)
        self._provider = provider
        self._issuer = issuer
        self._device_code = begun.device_code
        self._interval = min(max(begun.interval, 1.0), SELDOM)
        self._pause = pause
        self._deadline = time.monotonic() + good

    async def wait(self) -> Identity:
        """Return who it was, once they have signed in.

        Raises:
            ProtocolError: they refused, it is too late, or the provider can't be reached.
        """
        token = await self._signed()
        try:
            return await self._issuer.identify(token)
        except TroubleError as trouble:
            raise self._provider.unavailable(trouble) from None

    async def _signed(self) -> str:
        """Ask in the rhythm that the provider wants, until it has signed something."""
        trouble = None
        while (left := self._deadline - time.monotonic()) > 0:
            await self._pause(min(self._interval, left))
            try:
                return await self._issuer.redeem(self._device_code)
            except RefusalError as refusal:
                trouble = None
                self._heed(refusal)
            except TroubleError as error:  # it may be back while the code is good still
                trouble = error
                self._interval = min(self._interval * 2, SELDOM)
        raise self._provider.unavailable(trouble) if trouble else _too_late()

    def _heed(self, refusal: RefusalError) -> None:
        """Go on where it says so; raise ProtocolError where that is the end."""
        match refusal.error:
            case "authorization_pending":
                pass
            case "slow_down":
                self._interval = min(self._interval + SLOWER, SELDOM)
            case "access_denied":
                why = f"The sign-in was refused at {self._provider.name}. Try again, or come in another way."
                raise ProtocolError(Code.SSO_REFUSED, why) from None
            case "expired_token" | "invalid_grant":  # the latter from one that has forgotten the code
                raise _too_late() from None
            case _:
                raise self._provider.unavailable(refusal) from None


def _too_late() -> ProtocolError:
    return ProtocolError(Code.SSO_EXPIRED, "The code was not used in time. Begin again for a new one.")
