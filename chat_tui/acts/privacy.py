"""What is one's own: whom one does not want to read, what the server holds of oneself, and having that erased."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from chat_tui.acts.base import Acts
from chat_tui.errors import Refused
from server.protocol.errors import Code

if TYPE_CHECKING:
    from chat_tui.screens.listing import Row

_ERASES = (
    "This erases you for good: your account, your name, and everything you ever said in any room."
    " Others see “message deleted” in its place. Nothing brings it back."
    "\n\n/export saves it for you before."
)


class PrivacyActs(Acts):
    """What people do for themselves alone."""

    def command_block(self, name: str) -> None:
        """Hide somebody from myself."""
        self.attempt(
            self.session.client.block(name),
            lambda: self.tell(f"{name} is blocked: what they say stands as “hidden”. /unblock {name} shows it again."),
        )

    def command_unblock(self, name: str) -> None:
        """Show somebody again."""
        self.attempt(self.session.client.block(name, on=False), lambda: self.tell(f"You see {name} again."))

    def command_blocked(self) -> None:
        """Show whom I have blocked."""
        from chat_tui.screens.listing import Deed, ListScreen, Row  # not before the first paint

        async def load(_: str) -> "tuple[Sequence[Row], bool]":
            people = sorted(self.chat.blocked.items(), key=lambda person: person[1].casefold())
            return [Row(str(user), Content.styled(name, "bold")) for user, name in people], False

        async def unblock(user: str) -> str:
            name = self.chat.blocked[int(user)]
            await self.session.client.block(name, on=False)
            self.chat.blocked.pop(int(user), None)  # the server says so, too, by and by
            return f"You see {name} again."

        none = "You have blocked nobody. /block and a name hides somebody."
        self.push_screen(ListScreen("Blocked", load, none=none, deeds={"enter": Deed("shows them again", unblock)}))

    def command_export(self, file: str) -> None:
        """Save all that the server holds of me."""
        from chat_tui.session.exporting import file_for  # not before the first paint

        path = Path(file).expanduser() if file else file_for(self.chat.name, self.session.address.host, Path.home())
        self.attempt(self._export(path))

    def command_erase(self) -> None:
        """Have all of me erased, once it is clear that this is meant."""
        from chat_tui.screens.form import Field, FormScreen  # not before the first paint

        me, account = self.chat.name, self.session.client.account
        fields = [Field(f"Your name, {me}, to say that you mean it", masked=False)]
        if account:
            ways = self.session.client.ways
            sso = ways.sso if ways is not None else ""
            asks = f"Your password; nothing if you sign in with {sso}" if sso else "Your password"
            fields.append(Field(asks, least=0, refused=(Code.LOGIN_FAILED,)))

        async def erase(values: Sequence[str]) -> None:
            if values[0].strip() != me:
                raise Refused("", f"That is not {me}. Nothing was erased.")
            await self.session.client.erase(password=values[1] if account else "")

        screen = FormScreen("Erase yourself", _ERASES, fields, erase, does="erases you", escape="erases nothing")
        self.push_screen(screen)

    # How.

    async def _export(self, path: Path) -> None:
        from chat_tui.session.exporting import save_export

        self.room.writer.remark("Saving what the server has of you…")

        def told(count: int) -> None:
            self.room.writer.remark(f"Saving what the server has of you: {count:,} entries so far…")

        count = await save_export(self.session.client.export(), path, told)
        self.room.writer.remark("")
        home = str(Path.home())
        shown = f"~{str(path).removeprefix(home)}" if str(path).startswith(f"{home}/") else str(path)
        self.tell(f"Saved what the server has of you, {count:,} entries: {shown}. Only you can read that file.")
