"""What one may ask of a server about accounts, about others' behaviour, and about what it holds of oneself."""

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec

from chat_tui.client.requests import Requests, given
from chat_tui.errors import Refused
from server.protocol import frames, limits
from server.protocol.errors import Code

_Answer = TypeVar("_Answer", bound=frames.Request)


class Governing(Requests):
    """The requests of accounts, moderators and privacy. Each raises what those of `Requests` do."""

    # One's own account; `Client` has register, logout and change_password, which change who one is here.

    async def devices(self) -> list[frames.DeviceInfo]:
        """Return one's sessions, the latest first."""
        return (await self._ask(frames.DevicesRequest(), frames.Devices)).devices

    async def end(self, session: int) -> None:
        """End another session of one's own, by its number in `devices`."""
        await self._ask(frames.End(session=session), frames.Ok)

    async def end_others(self) -> None:
        """End all one's sessions but this one."""
        await self._ask(frames.End(others=True), frames.Ok)

    async def claim(self, code: str) -> None:
        """Become the server's owner, by the code that it showed at its first start."""
        await self._ask_in_secret(frames.Claim(code=code), frames.Ok)

    async def block(self, name: str, on: bool = True) -> None:
        """Hide somebody from oneself, or show them again; `blocked` follows."""
        await self._ask(frames.Block(name=name, on=on), frames.Ok)

    # People, in a room; in `general`: on the whole server.

    async def appoint(self, name: str, role: frames.RoleName, *, room: str = "general") -> None:
        """Give somebody another role."""
        await self._ask(frames.Appoint(name=name, role=role, room=room), frames.Ok)

    async def kick(self, name: str, *, room: str = "general", reason: str = "") -> None:
        """Put somebody out."""
        await self._ask(frames.Kick(name=name, room=room, reason=reason), frames.Ok)

    async def ban(
        self, name: str, *, room: str = "general", minutes: int = 0, reason: str = "", on: bool = True
    ) -> None:
        """Put somebody out and keep them out, or take that back. 0 minutes: until it is taken back."""
        request = frames.Ban(name=name, room=room, minutes=minutes, reason=reason, on=on)
        await self._ask(request, frames.Ok)

    async def ban_range(self, range: str, *, minutes: int = 0, reason: str = "", on: bool = True) -> None:
        """Keep an address, or a range like 203.0.113.0/24, off the server, or take that back."""
        await self._ask(frames.Ban(range=range, minutes=minutes, reason=reason, on=on), frames.Ok)

    async def silence(
        self, name: str, *, room: str = "general", minutes: int = 0, reason: str = "", on: bool = True
    ) -> None:
        """Have somebody only read, or take that back. 0 minutes: until it is taken back."""
        request = frames.Silence(name=name, room=room, minutes=minutes, reason=reason, on=on)
        await self._ask(request, frames.Ok)

    async def bans(self, room: str = "general") -> list[frames.BanInfo]:
        """Return who is kept out of a room, or silenced there."""
        return (await self._ask(frames.BansRequest(room=room), frames.Bans)).bans

    async def audit(self, room: str = "", *, before: int | None = None, limit: int = limits.PAGE) -> frames.Audit:
        """Return what moderators and others did, the latest first; without a room, everywhere."""
        return await self._ask(frames.AuditRequest(room=room, before=given(before), limit=limit), frames.Audit)

    async def report(self, room: str, seq: int, reason: str = "") -> None:
        """Show a message to the server's moderators."""
        await self._ask(frames.Report(room=room, seq=seq, reason=reason), frames.Ok)

    async def reports(self, before: int | None = None) -> frames.Reports:
        """Return what is reported and not settled, the latest first."""
        return await self._ask(frames.ReportsRequest(before=given(before)), frames.Reports)

    async def settle(self, report: int) -> None:
        """A report is dealt with."""
        await self._ask(frames.Settle(report=report), frames.Ok)

    # The server.

    async def settings(self, *, guests: bool | None = None, sign_up: frames.SignUp | None = None) -> frames.Settings:
        """Change how the server takes people: what is given; return how it does now."""
        request = frames.SettingsRequest(guests=given(guests), sign_up=given(sign_up))
        return await self._ask(request, frames.Settings)

    async def ticket(self, *, uses: int = 1, hours: int = 72) -> frames.Ticket:
        """Make a ticket to sign up with."""
        return await self._ask(frames.TicketRequest(uses=uses, hours=hours), frames.Ticket)

    async def tickets(self) -> list[frames.TicketInfo]:
        """Return the tickets that are good still, the latest first."""
        return (await self._ask(frames.TicketsRequest(), frames.Tickets)).tickets

    async def drop_ticket(self, id: int) -> None:
        """Take a ticket back."""
        await self._ask(frames.TicketRequest(id=id), frames.Ticket)

    async def accounts(self, after: int = 0) -> frames.Accounts:
        """Return who has an account, by their number, after this one."""
        return await self._ask(frames.AccountsRequest(after=after), frames.Accounts)

    # What the server holds of oneself.

    async def export(self) -> AsyncIterator[dict[str, Any]]:
        """Yield all that the server holds of oneself: JSON objects, each with a `kind`, every string cleaned."""
        after = 0
        while True:
            part = await self._ask(frames.Export(after=after), frames.Exported)
            for line in part.lines:
                yield msgspec.json.decode(line, type=dict[str, Any])
            if not part.more or part.after <= after:
                return
            after = part.after

    async def erase(self, *, password: str = "", name: str = "") -> None:
        """Have one's account and all one ever said erased for good, or another's, by `name`, as the server's owner.

        The connection ends. `password` is the account's, where one has one.
        """
        request = frames.Erase(password=password, name=name)
        try:
            await (self._ask_in_secret(request, frames.Ok) if password else self._ask(request, frames.Ok))
        except Refused as refusal:
            if refusal.code != Code.ERASED:  # the last word may come instead of the answer
                raise

    # How.

    @property
    @abstractmethod
    def secure(self) -> bool:
        """The connection is encrypted, to a server that is trusted."""

    async def _ask_in_secret(self, request: frames.Request, kind: type[_Answer]) -> _Answer:
        """Ask what holds a secret: on a connection that anybody might read nothing is sent."""
        self._live()
        if not self.secure:
            raise Refused(Code.NO_ACCOUNT, "You have no account here yet, and this is for who has one.")
        return await self._ask(request, kind)
