"""An OpenID Connect provider as RFC 8628 has one talk to it: its description, its keys, and the two questions."""

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from urllib.parse import quote_plus

from msgspec import Meta, Struct

from server.chat.ports import Identity
from server.identity import signed
from server.identity.signed import UnknownKeyError
from server.identity.web import TroubleError, Web, is_local, read, trusted

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

T = TypeVar("T")

SCOPE: Final = "openid profile"

INTERVAL: Final = 5
"""Seconds between two questions where the provider names no other (RFC 8628, section 3.2)."""

KNOWN: Final = 3600
"""Seconds for which the provider's description and keys are believed before they are read again."""

KEYS_AGAIN: Final = 60
"""Seconds between two looks for newer keys, at least: what is signed with an unknown one must not cost a look each."""

CODE_CHARS: Final = 64
"""Characters of the longest code that somebody could type."""


class Begun(Struct):
    """A sign-in that has begun (RFC 8628, section 3.2). Google says `url` where all others say `uri`."""

    device_code: Annotated[str, Meta(min_length=1, max_length=4096)]
    """Secret: who has it gets the answer."""
    user_code: Annotated[str, Meta(min_length=1, max_length=CODE_CHARS)]
    expires_in: Annotated[float, Meta(gt=0)]
    verification_uri: str = ""
    verification_url: str = ""
    verification_uri_complete: str = ""
    interval: float = INTERVAL


class RefusalError(Exception):
    """The provider said no, or not yet: `error` is its code (RFC 6749, section 5.2; RFC 8628, section 3.5)."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class _Description(Struct):
    """OpenID Connect Discovery 1.0; RFC 8628, section 4."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    device_authorization_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(Struct):
    """The one part of a token response that is of any use here; the others are not kept."""

    id_token: str = ""


class _Error(Struct):
    error: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\Z")]


class Issuer:
    """One provider. Nothing is asked of it before the first sign-in begins.

    All that asks it raises TroubleError where it can't be reached or says what can't be used, and RefusalError where it
    says no.

    Args:
        address: `issuer`, as it names itself.
        client: the id that it has given to this server.
        secret: of the same client; empty for a public one.
    """

    def __init__(self, address: str, client: str, secret: str) -> None:
        self._address = address.rstrip("/")
        self._client = client
        self._secret = secret
        self._web = Web(direct=is_local(address))
        self._reading = asyncio.Lock()
        self._read: tuple[float, _Description] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def begin(self) -> Begun:
        """Ask for a code that somebody can type."""
        described = await self._describe()
        await self._key_set(described, KNOWN)  # whoever has signed in does not wait for these, nor on their absence
        begun = await self._ask(described, described.device_authorization_endpoint, {"scope": SCOPE}, Begun)
        begun.verification_uri = begun.verification_uri or begun.verification_url
        if not (begun.user_code.isascii() and begun.user_code.isprintable() and trusted(begun.verification_uri)):
            raise TroubleError("its code, or where to type it, can't be shown")
        if not trusted(begun.verification_uri_complete):
            begun.verification_uri_complete = ""
        return begun

    async def redeem(self, device_code: str) -> str:
        """Ask whether somebody has signed in by now; return what the provider has signed about them."""
        described = await self._describe()
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": device_code}
        return (await self._ask(described, described.token_endpoint, form, _Tokens)).id_token

    async def identify(self, token: str) -> Identity:
        """Check what was signed, and return whom it is about."""
        if not token:
            raise TroubleError(f"it signed nothing: this server must be allowed the scope {SCOPE!r} there")
        described = await self._describe()
        try:
            said = await self._claims(token, described, KNOWN)
        except UnknownKeyError:
            try:
                said = await self._claims(token, described, KEYS_AGAIN)
            except UnknownKeyError:
                raise TroubleError("it signed with a key that it does not publish") from None
        return Identity(subject=f"{described.issuer} {said['sub']}", name=_name(said))

    async def close(self) -> None:
        """End all connections to it."""
        await self._web.close()

    async def _describe(self) -> _Description:
        async with self._reading:
            if self._read is None or time.monotonic() - self._read[0] > KNOWN:
                answer = await self._web.get(f"{self._address}/.well-known/openid-configuration")
                self._read = time.monotonic(), self._checked(read(answer, _Description))
            return self._read[1]

    def _checked(self, described: _Description) -> _Description:
        if described.issuer.rstrip("/") != self._address:
            raise TroubleError("it names itself differently: --sso-issuer must be its `issuer`, word for word")
        if not described.device_authorization_endpoint:
            raise TroubleError("it has no device authorization: that must be switched on there")
        addresses = (described.device_authorization_endpoint, described.token_endpoint, described.jwks_uri)
        if not all(map(trusted, addresses)):
            raise TroubleError("one of its addresses is without https")
        return described

    async def _claims(self, token: str, described: _Description, age: float) -> dict[str, Any]:
        """Return what was signed; in a thread, since it takes 0.3 s to load what checks it."""
        keys = await self._key_set(described, age)
        return await asyncio.to_thread(signed.claims, token, keys, described.issuer, self._client)

    async def _key_set(self, described: _Description, age: float) -> "KeySet":
        """Return its public keys, read anew where they are older than some seconds."""
        async with self._reading:
            if self._keys is None or time.monotonic() - self._keys[0] > age:
                answer = read(await self._web.get(described.jwks_uri), dict[str, Any])
                self._keys = time.monotonic(), await asyncio.to_thread(signed.key_set, answer)
            return self._keys[1]

    async def _ask(self, described: _Description, url: str, form: dict[str, str], what: type[T]) -> T:
        """Send a form as this client, and return the answer as what it should be."""
        form["client_id"] = self._client
        basic = None
        if self._secret and "client_secret_basic" in described.token_endpoint_auth_methods_supported:
            basic = quote_plus(self._client), quote_plus(self._secret)  # RFC 6749, section 2.3.1
        elif self._secret:
            form["client_secret"] = self._secret
        status, answer = await self._web.post(url, form, basic)
        if status >= 400:
            raise RefusalError(read(answer, _Error).error)
        return read(answer, what)


def _name(said: dict[str, Any]) -> str:
    """Return how somebody is called there; of an address of mail, what stands before the @."""
    for claim in ("preferred_username", "nickname", "name"):
        name = said.get(claim)
        if isinstance(name, str) and name:
            return name.partition("@")[0]
    return ""
