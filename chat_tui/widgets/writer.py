"""Where messages are written: the input, and above it what it is about to do or what just went wrong."""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from textual.app import ComposeResult
from textual.message import Message

from chat_tui import commands
from chat_tui.state.recall import Offers
from chat_tui.widgets.composer import Composer
from chat_tui.widgets.note import Note
from chat_tui.widgets.still import Still


class Doer(Protocol):
    """Who does what is asked for here, at once: what is typed next may be for another room already."""

    def say(self, text: str, me: bool, reply: int) -> bool:
        """Send a message; return whether it can be one."""

    def drafted(self, text: str, place: str) -> None:
        """Keep what is being written in a place: called after each change of it."""

    def reword(self, edit: "Aim", text: str) -> None:
        """Give an own message another text."""

    def call(self, command: commands.Command, values: tuple[str, ...]) -> None:
        """Run a command."""

    def back(self) -> None:
        """Return to the live end of the room."""

    def seek(self, begins: str, then: Callable[[], None], *, anew: bool = False) -> None:
        """Ask who in this room is called so, `anew` even if that is known; `then` go on: their names are known."""


class Aim(NamedTuple):
    """What the next message does besides being said."""

    what: Literal["reply", "edit"]
    seq: int
    words: str
    """For people: what is answered, or edited."""


class Writer(Still):
    """A note and a composer. Each place (a room, a thread) has what is answered and what is edited there.

    Args:
        doer: does what is asked for.
        offers: what the word before the cursor may become.
        place: where it is written first.
    """

    DEFAULT_CSS = "Writer { height: auto; }"

    class Touched(Message):
        """What is written changed, or where in it the cursor stands."""

    def __init__(self, doer: Doer, offers: Callable[[str, int], Offers], place: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.note = Note()
        self.composer = Composer(self._accept, offers, secret=commands.tells_secret)
        self.composer.place = place
        self.asked_about = 0
        """The message that was asked about, until something else is done; 0 for none."""
        self._doer = doer
        self._said: tuple[str, str, bool] | None = None
        """What the note says until something else is done."""
        self.running = ""
        """The command as it was typed, while it is begun; empty where it may hold a secret."""
        self._quiet = ""
        self._replies: dict[str, Aim] = {}
        self._edit: Aim | None = None
        self._aside = ""
        """What was being written before an edit began."""
        self._edits: dict[str, tuple[Aim, str]] = {}
        """By place: what is edited there, and how far that is."""

    def compose(self) -> ComposeResult:
        """Stand one above the other."""
        yield self.note
        yield self.composer

    # What the note says.

    def complain(self, why: str) -> None:
        """Say what went wrong, until something else is done."""
        self._say((why, "", True))

    def remark(self, text: str, keys: str = "", about: int = 0) -> None:
        """Say what was done, or ask something `about` a message, until something else is done."""
        self._say((text, keys, False))
        self.asked_about = about

    def quieten(self, text: str) -> None:
        """Say something while there is nothing else to say."""
        self._quiet = text
        self._update_note()

    def calm(self) -> bool:
        """Say nothing more of what was done or went wrong; return whether something was said of it."""
        said, self._said, self.asked_about = self._said, None, 0
        self._update_note()
        return said is not None

    # What the next message does.

    def enter(self, place: str, draft: str) -> None:
        """Write elsewhere, from what was being edited or written there on."""
        if self._edit is not None:
            self._edits[self.composer.place] = (self._edit, self.composer.text)
        self._edit, text = self._edits.pop(place, (None, draft))
        self._aside = draft
        self.composer.start(text, place)
        self.calm()

    def restore(self, draft: str) -> None:
        """Go on with what was being written, unless something is already."""
        if draft and self._edit is None and not self.composer.text:
            self.composer.start(draft, self.composer.place)

    def give_back(self, line: str, reply: Aim | None) -> None:
        """Put a line that was not sent under what is being written; `reply` is what it would have answered."""
        if self._edit is not None:
            self._aside = joined(self._aside, line)
            return
        if reply is not None and not self.composer.text:
            self._replies.setdefault(self.composer.place, reply)
        self.composer.put(joined(self.composer.text, line))

    def run_again(self, line: str, place: str) -> None:
        """Have a command that was refused be mended, unless something else is written by now."""
        if line and place == self.composer.place and self._edit is None and not self.composer.text:
            self.composer.start(line, place)  # no edit: what is said of it stays

    def edit_again(self, edit: Aim, text: str, place: str) -> None:
        """Go on with an edit that was not taken: here, or once one is there again."""
        if place != self.composer.place:
            self._edits[place] = (edit, text)
        elif self._edit is None:
            self._edit, self._aside = edit, self.composer.text
            self.composer.start(text, place)

    def aim(self, aim: Aim, text: str = "") -> None:
        """Have the next message answer another, or take its place; `text` is what an edit starts from."""
        self.stop_aiming()
        if aim.what == "edit":
            self._edit, self._aside = aim, self.composer.text
            self.composer.put(text)
        else:
            self._replies[self.composer.place] = aim
        self.calm()

    def stop_aiming(self) -> bool:
        """Have the next message be just said; return whether it was not to be."""
        edit, self._edit = self._edit, None
        if edit is not None:
            self.composer.put(self._aside)
        reply = self._replies.pop(self.composer.place, None)
        self._update_note()
        return edit is not None or reply is not None

    # What happens here.

    def on_composer_edited(self, message: Composer.Edited) -> None:
        """Keep what is being written, and say how it goes on."""
        message.stop()
        if self._edit is None:
            self._doer.drafted(message.text, message.place)
        # Else it was sent, perhaps, or is not there any more: what that led to is not to be wiped away.
        if message.text and message.text == self.composer.text:
            self.calm()
        self._touched()

    def on_composer_moved(self, message: Composer.Moved) -> None:
        """Say what belongs where the cursor is now."""
        message.stop()
        self._touched()

    # How.

    def _accept(self, text: str) -> str | None:
        """Do what a line of input asks for; return what is to be written next, or None where nothing was done."""
        self.calm()
        match commands.read(text):
            case commands.Say(said, me):
                return self._send(said, me)
            case commands.Call(command, values):
                return self._call(text, command, values)
            case commands.Complaint(why):
                self.complain(why)
        return None

    def _call(self, text: str, command: commands.Command, values: tuple[str, ...]) -> str | None:
        """Run a command; one that can't be done stays to be mended."""
        self.running = "" if commands.tells_secret(text) else text
        self._doer.call(command, values)
        kept, self.running = self.running, ""
        return None if kept and self._said is not None and self._said[2] else ""

    def _send(self, said: str, me: bool) -> str | None:
        edit, self._edit = self._edit, None
        if edit is not None:
            self._doer.reword(edit, said)
            return self._aside
        reply = self._replies.get(self.composer.place)
        if not self._doer.say(said, me, reply.seq if reply else 0):
            return None
        self._replies.pop(self.composer.place, None)
        return ""

    def _say(self, what: tuple[str, str, bool]) -> None:
        self.calm()
        self._said = what
        self._update_note()

    def _touched(self) -> None:
        self._update_note()
        self.post_message(self.Touched())

    def _update_note(self) -> None:
        """Say what matters most: what happened, how a command goes, what the next message does."""
        aim = self._edit or self._replies.get(self.composer.place)
        typing = commands.typing(self.composer.text, self.composer.editor.cursor)
        if self._said is not None:
            text, keys, bad = self._said
            self.note.update(text, keys, bad=bad)
        elif typing is not None:
            self.note.update(f"{typing.command.usage} · {typing.command.help}")
        elif aim is not None:
            self.note.update(aim.words, "Esc stops")
        else:
            self.note.update(self._quiet)


def joined(before: str, line: str) -> str:
    """Return a text with a line below it."""
    return f"{before}\n{line}" if before else line
