"""The door: which server this is, how others come to it, and who one is there."""

import getpass
import platform
from collections.abc import Callable
from contextlib import suppress

from chat_tui import hosting
from chat_tui.client import Client, ClientError
from chat_tui.config import DEFAULT_PORT
from chat_tui.errors import NotConnected, Untrusted
from chat_tui.session.acts import Acts
from chat_tui.state.chat import Changed, Chat
from chat_tui.state.link import NEEDS_CONNECTION, Address, Link, Phase, invitation, parse_invitation, started_by
from server.protocol import frames, limits

_HERE = ("127.0.0.1", "::1", "localhost")


class Door(Acts):
    """What one does about one's own account, and what is told to others of the server.

    Args:
        chat: what the screen shows.
        client: the way to the server.
        changed: called after each change that the log does not tell by itself.
        address: where the server is.
        server: one that was started here.
    """

    def __init__(
        self,
        chat: Chat,
        client: Client,
        changed: Callable[[Changed], None],
        address: Address,
        server: hosting.Server | None,
    ) -> None:
        super().__init__(chat, client, changed)
        self.address = address
        self.link = Link(Phase.CONNECTING, ("◌ connecting", "◌"))
        self.server_key = address.pin
        """The short form of the server's key; empty where it is not known, or everyone can check its certificate."""
        self._server = server
        self._leaves = False
        """We end the session ourselves: no word is needed about that."""

    # Who one is.

    async def register(self, password: str = "", *, ticket: str = "", sso: bool = False) -> None:
        """Get an account under the name one has, and stay who one is.

        Args:
            password: to come in by from now on.
            ticket: where sign-up is by invitation.
            sso: instead of a password, sign in at the server's provider.
        """
        if not self.client.connected:  # it is coming back at this moment: not twice at once
            raise NotConnected(NEEDS_CONNECTION)
        await self.client.register(password, ticket=ticket, sso=sso)
        await self.learn_key()
        self._changed(Changed.NAME | Changed.LINK)

    async def logout(self) -> None:
        """Log out here: the server ends the session, and nothing of it is kept. `run` returns."""
        if not self.client.connected:
            raise NotConnected(NEEDS_CONNECTION)
        self._leaves = True
        try:
            await self.client.logout()
        except BaseException:
            self._leaves = False
            raise

    async def change_password(self, old: str, new: str) -> None:
        """Take another password: all other devices are logged out."""
        await self.client.change_password(old, new)

    async def claim(self, code: str) -> None:
        """Become the server's owner, by the code that it showed at its first start."""
        await self.client.claim(code)

    def owner_code(self) -> str:
        """Return the code that `claim` wants, where the server was started here; else nothing."""
        return self._server.owner_code() if self._server is not None else ""

    async def devices(self) -> list[frames.DeviceInfo]:
        """Return where one is logged in, the latest first."""
        return await self.client.devices()

    async def end(self, session: int) -> None:
        """Log another device out, by its number in `devices`."""
        await self.client.end(session)

    async def end_others(self) -> None:
        """Log all devices out but this one."""
        await self.client.end_others()

    # Which server it is.

    async def learn_key(self) -> None:
        """Learn the key of the server we are in; one's own is asked for it, where one came to it without."""
        self.server_key = "" if self.client.vouched else self.client.key
        if not self.client.secure and not self.only_here:
            with suppress(ClientError):  # then others are told without
                self.server_key = await self.client.fetch_key()

    async def trust(self, stranger: Untrusted) -> None:
        """Take the server of a first visit for the right one from now on; `run` goes there then."""
        await self.client.trust(stranger)

    def hand_over(self) -> hosting.Server | None:
        """Return the server that was started here, for who goes on with it: from now on it is not ours."""
        server, self._server = self._server, None
        return server

    @property
    def hosts(self) -> bool:
        """The server was started here."""
        return self._server is not None and self._server.alive

    @property
    def only_here(self) -> bool:
        """Nobody comes in from another machine."""
        return not (self.hosts and self.address.share) and self.address.host in _HERE and not self._outward

    def invitation(self, ticket: str = "", *, own: bool = False) -> str:
        """Return what is typed to come in.

        Args:
            ticket: that others can sign up with.
            own: for oneself: this program is started there as it is here.
        """
        here = started_by()
        port = "" if self.address.port == DEFAULT_PORT else f" --port {self.address.port}"
        if ticket or not self.only_here:
            return f"{here if own else 'chat-tui'} join {invitation(*self._known_as, self.server_key, ticket)}"
        return f"{here}{port}" if self.address.may_host else f"{here} --host {self.address.host}{port}"

    def welcome_words(self) -> str:
        """Return what an empty room says."""
        if self.link.phase is not Phase.ONLINE:
            return ""
        where = " on this machine" if self.only_here else ""
        return f"Nobody has written yet: you can be the first.\nOthers{where} join with\n{self.invitation()}"

    @property
    def _outward(self) -> str:
        """By which address other machines reach the server that runs on this one, as it says; empty for none."""
        ways = self.client.ways
        return ways.address if ways is not None and self.address.host in _HERE else ""

    @property
    def _known_as(self) -> tuple[str, int]:
        if self._outward:
            with suppress(ValueError):  # a server that says nonsense: then as it is known here
                outward = parse_invitation(self._outward)
                return outward.host, outward.port
        if self.hosts and self.address.share:
            return hosting.address_for_others(), self.address.port
        return self.address.host, self.address.port

    def _online_words(self) -> tuple[str, ...]:
        if not self.hosts:
            return (f"● {self.address.host}:{self.address.port}", f"● {self.address.host}", "●")
        if self.address.share:
            return (f"hosting · others: {self.invitation()}", "hosting · /key invites others", "hosting")
        return ("hosting, only this machine", "hosting")


def device_name() -> str:
    """Return how this device is called among one's own: by this program, and who runs it where."""
    with suppress(OSError, KeyError, ImportError):
        return f"chat-tui {getpass.getuser()}@{platform.node()}"[: limits.DEVICE_CHARS]
    return f"chat-tui {platform.node()}"[: limits.DEVICE_CHARS]
