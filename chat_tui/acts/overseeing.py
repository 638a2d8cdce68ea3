"""What moderators look at: who is kept out, what was reported and done, who has an account, who may come in."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.content import Content

from chat_tui.acts.appointing import GENERAL
from chat_tui.acts.moderating import ModeratingActs
from chat_tui.acts.people import PeopleActs
from chat_tui.errors import ClientError
from chat_tui.state import standing
from chat_tui.state.dates import seconds_of, until, when
from chat_tui.state.deeds import ROLES, rules
from chat_tui.state.parts import Changed

if TYPE_CHECKING:
    from chat_tui.screens.listing import Row
    from server.protocol import frames  # only named here: not loaded before the first paint

_QUIET, _HALF = "$foreground 60%", "$foreground 80%"
_SAID = 140
"""Characters of a message that was reported."""
_SILENCE = 60
"""Minutes for which a report silences somebody: time for people to look at it."""
_WAYS: "tuple[frames.SignUp, ...]" = ("open", "invite", "closed")
_SIGN_UP: "dict[frames.SignUp, tuple[str, str]]" = {
    "open": ("open", "everyone may get an account"),
    "invite": ("with a ticket", "who has a ticket may get an account"),
    "closed": ("closed", "nobody new gets an account"),
}
"""How people get accounts, in a word or two, and what that means."""


class OverseeingActs(ModeratingActs, PeopleActs):
    """Lists of moderators. Each asks the server, which shows them to nobody else."""

    def command_bans(self) -> None:
        """Show who is kept out of the room, or silenced there."""
        from chat_tui.screens.listing import Deed, ListScreen, Row  # not before the first paint

        client, room = self.session.client, self.chat.current
        known: dict[str, frames.BanInfo] = {}

        async def load(_: str) -> tuple[Sequence[Row], bool]:
            known.clear()
            known.update({f"{ban.kind} {ban.name or ban.range}": ban for ban in await client.bans(room.handle)})
            return [Row(id, self._ban(ban)) for id, ban in known.items()], False

        async def undo(id: str) -> str:
            ban = known[id]
            if ban.kind == "range":
                await client.ban_range(ban.range, on=False)
                return f"People from {ban.range} are let in again."
            if ban.kind == "ban":
                await client.ban(ban.name, room=room.handle, on=False)
                return f"{ban.name} is let in again."
            await client.silence(ban.name, room=room.handle, on=False)
            return f"{ban.name} may speak again."

        def question(id: str) -> str:
            ban = known[id]
            return f"Let {ban.name or ban.range} {'speak' if ban.kind == 'silence' else 'in'} again?"

        where = "of the server" if room.handle == GENERAL else f"of {self.label_of(room.handle)}"
        deeds = {"enter": Deed("takes it back", undo, question)}
        none = "Nobody is kept out or silenced here."
        self.push_screen(ListScreen(f"Bans {where}", load, none=none, deeds=deeds))

    def command_reports(self) -> None:
        """Show what people reported, and do something about it."""
        from chat_tui.screens.listing import Deed, ListScreen, Row  # not before the first paint

        client = self.session.client
        known: dict[str, frames.ReportInfo] = {}

        async def load(last: str) -> tuple[Sequence[Row], bool]:
            page = await client.reports(int(last) if last else None)
            self.chat.look_at(page)
            self.room.changed(Changed.ROOMS)
            known.update({str(report.report): report for report in page.reports})
            return [Row(str(report.report), self._report_row(report)) for report in page.reports], page.more

        async def delete(id: str) -> str:
            report = known[id]
            if report.text:
                await client.delete(report.room, report.seq)
            await client.settle(report.report)
            return "Deleted, and settled."

        async def silence(id: str) -> str:
            report = known[id]
            await client.silence(report.sender, room=report.room, minutes=_SILENCE, reason=report.reason)
            return f"{report.sender} may only read in {self.label_of(report.room)} for an hour."

        async def settle(id: str) -> str:
            await client.settle(known[id].report)
            return "Settled."

        deeds = {
            "enter": Deed("goes there"),
            "d": Deed("deletes it", delete, lambda _: "Delete it for everyone?"),
            "s": Deed("silences for an hour", silence, lambda id: f"Silence {known[id].sender} there for an hour?"),
            "x": Deed("settles it", settle),
        }

        def chosen(what: tuple[str, str] | None) -> None:
            if what is not None:
                report = known[what[1]]
                self.go_to_message(report.room, report.seq)

        self.push_screen(
            ListScreen("Reports", load, none="Nothing is reported, or all is settled.", deeds=deeds), chosen
        )

    def command_audit(self) -> None:
        """Show what moderators did: in the room, or from `general` everywhere."""
        from chat_tui.screens.listing import ListScreen, Row  # not before the first paint

        client, room = self.session.client, self.chat.current
        everywhere = room.handle == GENERAL

        async def load(last: str) -> tuple[Sequence[Row], bool]:
            page = await client.audit("" if everywhere else room.handle, before=int(last) if last else None)
            return [Row(str(act.seq), self._act_row(act, everywhere=everywhere)) for act in page.acts], page.more

        where = "on the server" if everywhere else f"in {self.label_of(room.handle)}"
        self.push_screen(ListScreen(f"What moderators did {where}", load, none="Nothing was done yet."))

    def command_accounts(self) -> None:
        """Show who has an account."""
        from chat_tui.screens.listing import Deed, ListScreen, Row  # not before the first paint

        client = self.session.client
        names: dict[str, str] = {}

        async def load(last: str) -> tuple[Sequence[Row], bool]:
            page = await client.accounts(int(last) if last else 0)
            names.update({str(account.user): account.name for account in page.accounts})
            return [Row(str(account.user), self._account_row(account)) for account in page.accounts], page.more

        def chosen(what: tuple[str, str] | None) -> None:
            if what is not None and what[0] == "r":
                self._pick_role(names[what[1]], self.chat.general)
            elif what is not None:
                self.attempt(self.write_to([names[what[1]]]))

        deeds = {"enter": Deed("writes to them"), "r": Deed("gives another role")}
        self.push_screen(ListScreen("Accounts", load, none="Nobody has an account yet.", deeds=deeds), chosen)

    def command_server(self) -> None:
        """Show who may come in, and which tickets there are; change that."""
        from chat_tui.screens.listing import Deed, ListScreen, Row  # not before the first paint

        client = self.session.client
        now: list[frames.Settings] = []

        async def load(_: str) -> tuple[Sequence[Row], bool]:
            now[:] = [await client.settings()]
            return [*_settings(now[0]), *map(self._ticket_row, await client.tickets())], False

        async def change(id: str) -> str:
            if id == "guests":
                now[:] = [await client.settings(guests=not now[0].guests)]
            elif id == "sign_up":
                now[:] = [await client.settings(sign_up=_after(now[0].sign_up))]
            else:
                await client.drop_ticket(int(id))
                return "The ticket is good no more."
            return ""

        def question(id: str) -> str:
            if id == "guests":
                return "Let nobody in who has no account?" if now[0].guests else "Let guests in again?"
            if id == "sign_up":
                return f"Change it to {_SIGN_UP[_after(now[0].sign_up)][0]}: {_SIGN_UP[_after(now[0].sign_up)][1]}?"
            return "Take this ticket back?"

        deeds = {"enter": Deed("changes it", change, question), "t": Deed("makes a ticket")}
        screen = ListScreen("Who may come in", load, none="", deeds=deeds)
        self.push_screen(screen, lambda what: self.command_ticket() if what else None)

    def command_ticket(self) -> None:
        """Make a ticket to sign up with, and show how it is used."""
        self.attempt(self._ticket())

    def ask_for_reports(self) -> None:
        """Where I moderate the server, mark what was reported while I was not here."""
        if standing.at_least(self.session.client.role, "moderator"):
            self.run_worker(self._ask_for_reports())

    # How.

    async def _ask_for_reports(self) -> None:
        with suppress(ClientError):  # the connection says itself that it is gone
            self.room.changed(self.chat.wait_for_me(await self.session.client.reports()))

    async def _ticket(self) -> None:
        from chat_tui.screens.page import PageScreen  # not before the first paint

        ticket = await self.session.client.ticket()
        line = self.session.invitation(ticket.ticket)
        ends = seconds_of(ticket.until)
        good = f", until {until(ends, self.chat.clock())}" if ends is not None else ""
        page = Content.assemble(
            "\nWho runs this comes here and can sign up:\n\n",
            (line, "bold $accent"),
            f"\n\nIt is good once{good}. Give it to nobody else.\n",
        )

        def pressed(key: str | None) -> None:
            if key == "y":
                self.copy_to_clipboard(line)
                self.room.writer.remark("The line is copied.")

        keys = {"y": "copies the line", "escape": "closes"}
        self.push_screen(PageScreen("A ticket", page, keys, wide=True), pressed)

    def _ban(self, ban: "frames.BanInfo") -> Content:
        what = {"ban": "banned", "silence": "may only read", "range": "nobody gets in from there"}[ban.kind]
        ends = seconds_of(ban.until)
        long = f"until {until(ends, self.chat.clock())}" if ends is not None else "for good"
        told = [f"by {ban.by}" if ban.by else "", self._when(ban.time), ban.reason]
        return _two_lines(ban.name or ban.range, f"{what} {long}", told)

    def _report_row(self, report: "frames.ReportInfo") -> Content:
        from chat_tui.screens.excerpts import shorten  # with the frames, not before the first paint
        from chat_tui.state.markup import plain

        words = shorten(plain(report.text, _SAID + 1), _SAID)
        said = Content(f"“{words}”") if words else Content.styled("deleted", f"italic {_QUIET}")
        why = f"{report.by}: {report.reason}" if report.reason else f"reported by {report.by}"
        head = Content.assemble(
            (report.sender, "bold"), (f"  {self.label_of(report.room)}  {self._when(report.time)}", _QUIET)
        )
        return Content("\n").join([head, said, Content.styled(why, _HALF)])

    def _act_row(self, act: "frames.AuditInfo", *, everywhere: bool) -> Content:
        ends = seconds_of(act.until)
        detail = rules(act.detail) if act.what in ("changed", "settings") else act.detail
        told = [
            self._when(act.time),
            self.label_of(act.room) if everywhere else "",
            f"until {until(ends, self.chat.clock())}" if ends is not None else "",
            detail if act.what not in ("appointed", "range") else "",
        ]
        return _two_lines(act.by, _deed(act), told)

    def _account_row(self, account: "frames.AccountInfo") -> Content:
        role = f"  {account.role}" if account.role != "member" else ""
        seen = f"last here {self._when(account.seen)}" if account.seen else "here"
        told = f"  {seen} · since {self._when(account.since)}"
        return Content.assemble((account.name, "bold"), role, (told, _QUIET))

    def _ticket_row(self, ticket: "frames.TicketInfo") -> "Row":
        from chat_tui.screens.listing import Row

        ends = seconds_of(ticket.until)
        good = "good once" if ticket.uses == 1 else f"good {ticket.uses} times"
        told = [f"until {until(ends, self.chat.clock())}" if ends is not None else "", f"by {ticket.by}"]
        return Row(str(ticket.id), _two_lines("Ticket", good, told))

    def _when(self, stamp: str) -> str:
        seconds = seconds_of(stamp)
        return when(seconds, self.chat.clock()) if seconds is not None else ""


def _two_lines(name: str, what: str, told: Sequence[str]) -> Content:
    """Return who or what, and below it what else is known."""
    return Content.assemble((name, "bold"), f"  {what}", ("\n" + " · ".join(filter(None, told)), _QUIET))


def _after(way: "frames.SignUp") -> "frames.SignUp":
    """Return the way to sign up that follows another in the list of them."""
    return _WAYS[(_WAYS.index(way) + 1) % len(_WAYS)]


def _settings(settings: "frames.Settings") -> list["Row"]:
    from chat_tui.screens.listing import Row

    guests = "may come in" if settings.guests else "may not come in"
    way, means = _SIGN_UP[settings.sign_up]
    return [
        Row("guests", _two_lines("Guests", guests, ["without an account, under any name that is free"])),
        Row("sign_up", _two_lines("Sign-up", way, [means])),
    ]


def _deed(act: "frames.AuditInfo") -> str:
    """Return what someone did, as it follows their name."""
    name = act.name
    match act.what:
        case "appointed":
            return f"made {name} {next((words for role, words in ROLES.items() if role == act.detail), act.detail)}"
        case "kicked":
            return f"put {name} out"
        case "banned":
            return f"banned {name}" if act.on else f"let {name} in again"
        case "silenced":
            return f"silenced {name}" if act.on else f"let {name} speak again"
        case "range":
            return f"banned {act.detail}" if act.on else f"let people from {act.detail} in again"
        case "changed":
            return "changed the room"
        case "deleted":
            return f"deleted a message of {name}" if name else "deleted a message"
        case "forgotten":
            return "erased what was kept long enough"
        case "erased":
            return f"erased {name}" if name else "erased somebody"
        case "settings":
            return "changed who may come in"
        case "settled":
            return "settled a report"
