"""Messages: answering, changing, reacting to and pointing at one."""

from typing import TYPE_CHECKING

from textual.content import Content

from chat_tui.acts.base import Acts
from chat_tui.commands import written
from chat_tui.config import save, settings_path
from chat_tui.state import emoji
from chat_tui.state.dates import exact, seconds_of
from chat_tui.state.entries import DELETED, HIDDEN, MINE, NOTICE, PINNED, Entry
from chat_tui.state.marks import Look
from chat_tui.widgets.log import MessageLog
from chat_tui.widgets.writer import Aim

if TYPE_CHECKING:
    from server.protocol import frames  # only named here: not loaded before the first paint

_QUOTED = 200
"""Characters of a message that are shown to say which is meant."""
_RECENT = 12
"""Emoji that are remembered as used last."""


class MessageActs(Acts):
    """What is done with a message: the one that has the focus, or for a command the last one that can be meant."""

    def on_message_log_acted(self, message: MessageLog.Acted) -> None:
        """Do what a key or a click in the log asks for."""
        entry = self.message(message.seq)
        if entry is None:
            return
        if entry.flags & HIDDEN and message.action != "show":
            self.complain("This message is hidden: Enter shows it.")
        elif entry.flags & DELETED and message.action not in ("thread", "who", "unread", "link", "quote"):
            self.complain("This message is deleted.")
        elif message.action == "react" and message.argument:
            self._react(entry, message.argument)
        else:
            getattr(self, f"_do_{message.action}")(entry)

    def on_message_log_link_opened(self, message: MessageLog.LinkOpened) -> None:
        """Open a link: to a message here, else in the browser."""
        self.open_link(message.url)

    def open_link(self, url: str) -> None:
        """Go to the message that a link points at, or open it in the browser."""
        place = self.session.parse_permalink(url)
        if place is not None:
            self.go_to_message(*place)
        elif url.startswith("chat://"):
            self.complain("This link leads to another server.")
        else:
            self.open_url(url)

    def go_to_message(self, handle: str, seq: int) -> None:
        """Show a message among its neighbours; in another room, too."""
        self.attempt(self.session.visit(handle, seq), lambda: self.arrive(seq))

    def arrive(self, seq: int) -> None:
        """Give a message of what is shown now the focus."""
        self.room.log_view.focus_on(seq)

    # Commands.

    def command_reply(self, text: str) -> None:
        """Answer the last message of somebody else."""
        entry = self._last(mine=False)
        if entry is not None:
            self.say(text, me=False, reply=entry.seq)

    def command_edit(self, text: str) -> None:
        """Give my last message another text, or begin to."""
        entry = self._last(mine=True)
        if entry is not None and text:
            self.reword(_editing(entry), text)
        elif entry is not None:
            self.call_later(self._do_edit, entry)

    def command_delete(self) -> None:
        """Delete my last message; asks once."""
        entry = self._last(mine=True)
        if entry is not None:
            self.arrive(entry.seq)
            self._do_delete(entry)

    def command_react(self, name: str) -> None:
        """React to the last message of somebody else."""
        entry = self._last(mine=False)
        if entry is not None:
            self._react(entry, name)

    def command_thread(self) -> None:
        """Open the thread of the last message."""
        self._with_last("thread")

    def command_pin(self) -> None:
        """Pin the last message, or take it off."""
        self._with_last("pin")

    def command_link(self) -> None:
        """Copy a link to the last message."""
        self._with_last("link")

    def command_unread(self) -> None:
        """Mark the last message as unread."""
        entry = self._last(mine=False)
        if entry is not None:
            self._do_unread(entry)

    # What is done with one message.

    def say(self, text: str, me: bool, reply: int) -> bool:
        """Send a message; return whether it can be one."""
        raise NotImplementedError

    def reword(self, edit: Aim, text: str) -> None:
        """Give an own message another text. Where that can't be done, it is edited again."""
        place = self.chat.current.place
        self.attempt(self.session.edit(edit.seq, text), otherwise=lambda: self._edit_again(edit, text, place))

    def _edit_again(self, edit: Aim, text: str, place: str) -> None:
        self.room.writer.edit_again(edit, written(text), place)

    def _do_reply(self, entry: Entry) -> None:
        self.room.aim(replying(entry))

    def _do_edit(self, entry: Entry) -> None:
        if entry.flags & MINE:
            self.room.aim(_editing(entry), written(entry.text))
        else:
            self.complain("Only your own messages can be edited.")

    def _do_delete(self, entry: Entry) -> None:
        if not entry.flags & MINE and not self.chat.may("moderator"):
            self.complain("Only your own messages can be deleted, and any by a moderator.")
        elif self.room.writer.asked_about == entry.seq:
            self.room.writer.remark("")
            self.attempt(self.session.delete(entry.seq))
        else:
            words = f"Delete “{in_short(entry)}” for everyone?"
            self.room.writer.remark(words, "d deletes · Esc keeps it", about=entry.seq)

    def _do_react(self, entry: Entry) -> None:
        from chat_tui.screens.pick import Choice, PickScreen  # not before the first paint

        recent = self.settings.emoji.split()

        def choices(typed: str) -> list[Choice]:
            start = typed.strip(":").casefold()
            found = emoji.matching(start)
            first = [name for name in recent if name in found and name.startswith(start)]
            names = [*first, *(name for name in found if name not in first)]
            return [Choice(name, Content(f"{emoji.in_column(name)}  {name}")) for name in names]

        def chosen(name: str | None) -> None:
            if name:
                self._react(entry, name)

        screen = PickScreen("React", choices, asks="the name of an emoji", none="No emoji is called so.")
        self.push_screen(screen, chosen)

    def _do_copy(self, entry: Entry) -> None:
        self.copy_to_clipboard(entry.text)
        self.room.writer.remark("Copied.")

    def _do_open_link(self, entry: Entry) -> None:
        from chat_tui.screens.pick import Choice, PickScreen  # not before the first paint
        from chat_tui.state.markup import read

        links = list(dict.fromkeys(mark.target for mark in read(entry.text).marks if mark.look is Look.LINK))
        if not links:
            self.complain("There is no link in this message.")
        elif len(links) == 1:
            self.open_link(links[0])
        else:
            offered = [Choice(link, Content(link)) for link in links]
            screen = PickScreen(
                "Open a link",
                lambda typed: [choice for choice in offered if typed in choice.id],
                asks="part of the link",
                none="No link holds that.",
            )
            self.push_screen(screen, lambda link: self.open_link(link) if link else None)

    def _do_pin(self, entry: Entry) -> None:
        self.attempt(self.session.pin(entry.seq, not entry.flags & PINNED))

    def _do_thread(self, entry: Entry) -> None:
        self.attempt(self.session.open_thread(entry.seq))

    def _do_quote(self, entry: Entry) -> None:
        if entry.more is not None and entry.more.reply:
            self.go_to_message(self.chat.current.handle, entry.more.reply)
        else:
            self.complain("This message answers none.")

    def _do_unread(self, entry: Entry) -> None:
        self.session.unread_from(entry.seq)
        self.room.writer.remark("Unread from here on, on all your devices.")

    def _do_link(self, entry: Entry) -> None:
        link = self.session.permalink(entry.seq)
        self.copy_to_clipboard(link)
        self.room.writer.remark(f"Copied: {link}")

    def _do_who(self, entry: Entry) -> None:
        self.attempt(self._inform(entry))

    def _do_show(self, entry: Entry) -> None:
        self.chat.current.shown.reveal(entry.seq)

    # How.

    def _last(self, *, mine: bool | None) -> Entry | None:
        """Return the last message, mine or another's where that matters; None, and a complaint, where there is none."""
        for entry in reversed(self.chat.current.shown.entries):
            is_message = not entry.flags & (NOTICE | DELETED | HIDDEN) and entry.user
            if is_message and (mine is None or bool(entry.flags & MINE) is mine):
                return entry
        self.complain("You have said nothing here that is shown." if mine else "There is no message here yet.")
        return None

    def _with_last(self, what: str) -> None:
        entry = self._last(mine=None)
        if entry is not None:
            getattr(self, f"_do_{what}")(entry)

    def _react(self, entry: Entry, name: str) -> None:
        recent = dict.fromkeys([name, *self.settings.emoji.split()])
        self.settings.emoji = " ".join(list(recent)[:_RECENT])
        save(self.settings, settings_path())
        self.attempt(self.session.react(entry.seq, name))

    async def _inform(self, entry: Entry) -> None:
        """Show who said a message and when, who reacted, and what it said before."""
        from chat_tui.screens.page import PageScreen  # not before the first paint

        now = self.chat.names.get(entry.user, entry.name)
        lines = [Content.assemble((entry.name, "bold"), f", now called {now}" if now != entry.name else "")]
        lines.append(Content(exact(entry.time)))
        reactions = entry.more.reactions if entry.more else {}
        called = await self.session.called(user for users in reactions.values() for user in users)
        for name, users in reactions.items():
            lines.append(
                Content(f"{emoji.picture(name)}  {name}: {', '.join(called.get(user, '?') for user in users)}")
            )
        versions = await self.session.versions(entry.seq)
        if len(versions.versions) > 1:
            lines += [Content(), Content.styled("What it said, the first one first", "bold")]
            lines += [self._version(version) for version in versions.versions]
        self.push_screen(PageScreen("A message", Content("\n").join(lines)))

    def _version(self, version: "frames.Version") -> Content:

        return Content.assemble((exact(seconds_of(version.time) or 0), "$foreground 60%"), f"\n{version.text}")


def replying(entry: Entry) -> Aim:
    """Return what it is to answer a message."""
    return Aim("reply", entry.seq, f"↪ Replying to {entry.name}: {in_short(entry)}")


def _editing(entry: Entry) -> Aim:
    return Aim("edit", entry.seq, "Editing your message")


def in_short(entry: Entry) -> str:
    """Return what a message says on one line."""
    from chat_tui.state.markup import plain  # not before the first paint

    return plain(entry.text, _QUOTED)
