"""One's own account: getting one, logging in and out, passwords, devices, and the server's key."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from chat_tui.acts.coming_in import Again, ComingIn
from chat_tui.state.dates import seconds_of, when
from chat_tui.state.link import NEEDS_CONNECTION, Phase
from server.protocol.errors import Code, ProtocolError

if TYPE_CHECKING:
    from server.protocol import frames  # only named here: not loaded before the first paint

_UNSEEN = "What you typed there was not taken: it is asked for here, unseen."


class AccountActs(ComingIn):
    """What is done about one's own account. Passwords and codes are never typed where messages are."""

    def command_register(self, typed: str) -> None:
        """Get an account, and stay who one is."""
        if self.session.client.account:
            self.complain("You have an account already. /devices shows where you are logged in.")
        elif self._is_in():
            self.offer_account(problem=_UNSEEN if typed else "")

    def command_login(self, name: str) -> None:
        """Come in to an account, as another than now; who is logged in is asked first."""
        from server.protocol.text import check_name  # not before the first paint

        me = self.chat.name
        try:
            name = check_name(name) if name else me
        except ProtocolError:
            self.complain("After /login stands a name, or nothing: the password is asked for unseen.")
            return
        again = Again(name, log_in=True, back=me)
        if not self.session.client.account:
            self.begin_again(again)
            return
        if name == me:
            self.complain("You are logged in. /logout logs you out here.")
            return
        self.ask(
            f"Log in as {name}?",
            f"You are here as {me}, and leave for it. {me} stays logged in on this device.",
            "goes there",
            lambda: self.begin_again(again),
        )

    def command_logout(self) -> None:
        """Log out of one's account here; asks once."""
        if not self.session.client.account:
            self.complain("You have no account here: /quit leaves, and /register gets one.")
            return
        if not self._is_in():
            return
        self.ask(
            "Log out?",
            f"To come back as {self.chat.name} here, you will need your password.\n\nOther devices stay logged in.",
            "logs out",
            lambda: self.attempt(self._log_out()),
        )

    def command_password(self, typed: str) -> None:
        """Take another password."""
        if not self.session.client.account:
            self.complain("You have no account here, so no password. /register gets one.")
            return
        if not self._is_in():
            return
        from chat_tui.screens.form import Field, FormScreen  # not before the first paint
        from server.protocol import limits

        async def change(values: Sequence[str]) -> None:
            await self.session.change_password(values[0], values[1])

        fields = [
            Field("The password you have", refused=(Code.LOGIN_FAILED,)),
            Field(
                f"A new one, at least {limits.PASSWORD_LEAST} characters",
                least=limits.PASSWORD_LEAST,
                refused=(Code.BAD_PASSWORD,),
            ),
            Field("The new one once more", again=True),
        ]
        why = "All your other devices are logged out by it."
        problem = _UNSEEN if typed else ""
        screen = FormScreen("Another password", why, fields, change, does="changes it", problem=problem)
        self.push_screen(
            screen, lambda done: self.room.writer.remark("Your password is another one now.") if done else None
        )

    def command_claim(self, typed: str) -> None:
        """Become the server's owner, by the code that it showed at its first start."""
        if not self.session.client.account:
            self.complain("The owner of a server needs an account: /register gets one, then /claim.")
            return
        if not self._is_in():
            return
        from chat_tui.screens.form import Field, FormScreen  # not before the first paint

        async def claim(values: Sequence[str]) -> None:
            await self.session.claim(values[0].strip())

        code = self.session.owner_code()
        why = "The server says its owner code when it starts for the first time. It is good once."
        if code:
            why = "You host this server, so its owner code is here already. It is good once."
        fields = [Field("Owner code", holds=code, refused=(Code.BAD_CODE,))]
        screen = FormScreen("Own this server", why, fields, claim, does="owns it", problem=_UNSEEN if typed else "")
        self.push_screen(screen)

    def command_devices(self) -> None:
        """Show where one is logged in, to log out there."""
        if not self._is_in():
            return
        from chat_tui.screens.listing import Deed, ListScreen, Row  # not before the first paint

        known: dict[str, frames.DeviceInfo] = {}
        names: dict[int, str] = {}

        async def load(after: str) -> tuple[Sequence[Row], bool]:
            devices = [] if after else await self.session.devices()
            known.update((str(device.id), device) for device in devices)
            names.update(_names(devices))
            rows = [Row(str(device.id), _shown(device, names[device.id], self.chat.clock())) for device in devices]
            return rows, False

        def asks(id: str) -> str:
            device = known[id]
            if device.current:
                return ""
            return "Withdraw this code?" if device.waiting else f"Log {names[device.id]} out?"

        async def end(id: str) -> str:
            if known[id].current:
                return "This is the one you sit at: /logout logs it out."
            await self.session.end(known[id].id)
            return "The code is withdrawn." if known[id].waiting else f"{names[known[id].id]} is logged out."

        async def end_others(_: str) -> str:
            await self.session.end_others()
            return "All others are logged out."

        deeds = {
            "enter": Deed("logs it out", end, asks),
            "o": Deed("logs all others out", end_others, lambda _: "Log all others out?"),
        }
        self.push_screen(ListScreen("Your devices", load, none="You are logged in nowhere.", deeds=deeds))

    def command_device(self) -> None:
        """Show the code that lets another device come in as me."""
        self.attempt(self._device())

    def command_key(self) -> None:
        """Show the server's key, and how others come in."""
        if not self._is_in():
            return
        from chat_tui.screens.trust import key_page  # not before the first paint

        invitation = self.session.invitation()

        def pressed(key: str | None) -> None:
            if key == "y":
                self.copy_to_clipboard(invitation)
                self.room.writer.remark("The line is copied: give it to who is to come.")

        self.push_screen(key_page(self.session.server_key, invitation, only_here=self.session.only_here), pressed)

    # How.

    def _is_in(self) -> bool:
        """Tell whether there is a connection; complain where there is none."""
        if self.session.link.phase is not Phase.ONLINE:
            self.complain(NEEDS_CONNECTION)
        return self.session.link.phase is Phase.ONLINE

    async def _log_out(self) -> None:
        name = self.chat.name
        await self.session.logout()
        self.remember_name("")
        self.begin_again(Again(name, ask=True, words=f"{name} is logged out here."))

    async def _device(self) -> None:
        from chat_tui.screens.page import PageScreen  # not before the first paint
        from server.protocol import limits

        code = await self.session.device()
        here = self.session.only_here
        page = Content.assemble(
            "\nOnly this machine reaches the server. In another terminal run" if here else "\nOn the other device run",
            "\n\n",
            (f"{self.session.invitation(own=True)} --device", "bold"),
            "\n\nand give it this code:\n\n",
            ("-".join(re.findall(".{1,4}", code)), "bold $accent"),
            f"\n\nIt is good once, for {limits.DEVICE_MINUTES} minutes.",
            " Whoever has the code is you: show it to nobody.\n",
        )

        def pressed(key: str | None) -> None:
            if key == "y":
                self.copy_to_clipboard(code)
                self.room.writer.remark("The code is copied.")

        keys = {"y": "copies the code", "escape": "closes"}
        self.push_screen(PageScreen("Another device", page, keys, wide=True), pressed)


def _names(devices: "Sequence[frames.DeviceInfo]") -> dict[int, str]:
    """Return how devices are called, by number: those of one name are counted, the oldest first."""
    names: dict[int, str] = {}
    counts: dict[str, int] = {}
    for device in sorted(devices, key=lambda device: device.id):
        name = device.device or ("A code that is not used yet" if device.waiting else "A device without a name")
        counts[name] = counts.get(name, 0) + 1
        names[device.id] = name if counts[name] == 1 else f"{name} ({counts[name]})"
    return names


def _shown(device: "frames.DeviceInfo", name: str, now: float) -> Content:
    """Return two lines: how a device is called, and since when and from where it is used."""
    state = "  this one" if device.current else "  here now" if device.online else ""
    used, since = seconds_of(device.used), seconds_of(device.since)
    told = [f"{'made' if device.waiting else 'since'} {when(since, now)}" if since is not None else ""]
    if not device.waiting:
        told.append(f"from {device.address}" if device.address else "")
        told.append(f"used {when(used, now)}" if used is not None and not device.online else "")
    return Content.assemble(
        (name, "bold"), (state, "$success"), ("\n" + " · ".join(filter(None, told)), "$foreground 60%")
    )
