"""Asking a provider over HTTPS: bounded in size and time, no redirects followed, JSON alone understood."""

import asyncio
import ipaddress
import logging
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    import httpx

ANSWER: Final = 256 * 1024
"""Bytes of the longest answer that is read: the keys of a large provider, with their certificates, take 50 KiB."""

SECONDS: Final = 10.0
"""For one question and its answer, whatever they consist of."""

CONNECTIONS: Final = 20
"""Connections to the provider at once."""

URL_CHARS: Final = 1000
"""Characters of the longest address that is taken from a provider: a QR code of more is hard to read for a phone."""

T = TypeVar("T")


class TroubleError(Exception):
    """The provider can't be reached, or says what nobody can use. The text is for the log of whoever runs the server.

    It never repeats what the provider said, which may hold what we sent.
    """


def trusted(url: str) -> bool:
    """Say whether what is sent to an address can't be read on the way: https, or this machine itself."""
    if len(url) > URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_local(url))


def is_local(url: str) -> bool:
    """Say whether a valid address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read(answer: bytes, what: type[T]) -> T:
    """Return an answer as what it should be. Raises TroubleError where it is not."""
    try:
        return msgspec.json.decode(answer, type=what, strict=False)  # some write numbers as strings
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise TroubleError("it answered something that can't be read") from None


class Web:
    """Asks one provider.

    Args:
        direct: go past any proxy that the environment names: the provider is on this machine.
    """

    def __init__(self, *, direct: bool) -> None:
        self._direct = direct
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def get(self, url: str) -> bytes:
        """Return what stands at an address. Raises TroubleError."""
        status, answer = await self._ask("GET", url, None, None)
        if status != 200:
            raise TroubleError(f"it answered {status}")
        return answer

    async def post(self, url: str, form: dict[str, str], basic: tuple[str, str] | None) -> tuple[int, bytes]:
        """Send a form, with HTTP's basic authentication where `basic` is given; return status and answer.

        Raises TroubleError, also for each answer but success and 4xx.
        """
        return await self._ask("POST", url, form, basic)

    async def close(self) -> None:
        """End all connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(
        self, method: str, url: str, form: dict[str, str] | None, basic: tuple[str, str] | None
    ) -> tuple[int, bytes]:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(self._open)
        import httpx

        # What is packed may grow a thousandfold: it is asked for as it is, and not unpacked.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._client.stream(method, url, data=form, auth=basic, headers=headers) as response,
            ):
                answer = bytearray()
                async for part in response.aiter_raw():
                    answer += part
                    if len(answer) > ANSWER:
                        raise TroubleError("its answer is too long")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise TroubleError(f"it can't be reached ({type(error).__name__})") from None
        busy = response.status_code == httpx.codes.TOO_MANY_REQUESTS
        if busy or not (response.is_success or response.is_client_error):
            raise TroubleError(f"it answered {response.status_code}")
        return response.status_code, bytes(answer)

    def _open(self) -> "httpx.AsyncClient":
        """Import and make what asks: 0.3 s, and files with the authorities, so not on the event loop."""
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        import httpx

        logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each question is not for our log
        return httpx.AsyncClient(
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=not self._direct,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # one person's are not another's: none
            limits=httpx.Limits(max_connections=CONNECTIONS),
        )
