"""What can be typed after a slash: one table, and what a line of input means."""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from chat_tui.state import emoji


class Kind(Enum):
    """What an argument is: how it ends, how it is checked, what completes it. The last one is all the rest."""

    WORD = auto()
    TEXT = auto()
    """All the rest, over all lines."""
    ROOM = auto()
    """A room by its handle or title, with # or without."""
    PERSON = auto()
    PEOPLE = auto()
    """Names with commas between them."""
    PLACE = auto()
    """A room or a person."""
    EMOJI = auto()
    CHOICE = auto()
    """One of `Arg.choices`; where it is not needed, another word is left to the argument after it."""


class Arg(NamedTuple):
    """Something that follows a command."""

    hint: str
    """For people."""
    kind: Kind = Kind.TEXT
    needed: bool = True
    choices: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The hint; in brackets where it may be left out."""
        return self.hint if self.needed else f"[{self.hint}]"


class Command(NamedTuple):
    """A slash command."""

    name: str
    """Without the slash; the method that does it is called so after `command_`."""
    args: tuple[Arg, ...]
    help: str
    short: str
    """`help` where there is little room: at most 24 cells."""
    group: str
    """Its place in the help."""
    same: str = ""
    """The action that does the same: the palette has that one."""
    also: tuple[str, ...] = ()
    """Other names for it."""

    @property
    def usage(self) -> str:
        """How it is typed: `/make name [private] [topic]`."""
        return " ".join([f"/{self.name}", *(arg.shown for arg in self.args)])


_ROOMS = "Rooms"
_PEOPLE = "People"
_MESSAGES = "Messages"
_READING = "Reading"
_PROGRAM = "Program"

_ROOM_HERE = Arg("room", Kind.ROOM, needed=False)
_WHO = Arg("name", Kind.PERSON)

COMMANDS = (
    Command("join", (Arg("room", Kind.ROOM),), "enter a room, or take an invitation", "enter a room", _ROOMS),
    Command(
        "make",
        (Arg("name", Kind.WORD), Arg("private", Kind.CHOICE, False, ("private",)), Arg("topic", needed=False)),
        "make a room",
        "make a room",
        _ROOMS,
    ),
    Command("leave", (_ROOM_HERE,), "leave a room, or decline an invitation", "leave a room", _ROOMS),
    Command("rooms", (), "all public rooms", "all public rooms", _ROOMS, "rooms.list", ("list",)),
    Command(
        "go", (Arg("room or name", Kind.PLACE),), "go to a room or a person", "go to a room", _ROOMS, "", ("room",)
    ),
    Command("topic", (Arg("text", needed=False),), "what the room is about; say or change it", "the topic", _ROOMS),
    Command("rename", (Arg("title"),), "give the room another title", "another title", _ROOMS),
    Command("archive", (), "close the room: it can be read, nothing more is said", "close the room", _ROOMS),
    Command("unarchive", (), "open the room again", "open the room again", _ROOMS),
    Command("invite", (_WHO, _ROOM_HERE), "invite somebody to the room", "invite somebody", _ROOMS),
    Command("uninvite", (_WHO, _ROOM_HERE), "take an invitation back", "take it back", _ROOMS),
    Command("favourite", (), "keep the room at the top, or no more", "keep it at the top", _ROOMS, "", ("favorite",)),
    Command("mute", (), "count nothing of the room, or do again", "count nothing of it", _ROOMS),
    Command(
        "notify",
        (Arg("all|mentions|none", Kind.CHOICE, choices=("all", "mentions", "none")),),
        "what of the room you are told",
        "what you are told",
        _ROOMS,
    ),
    Command(
        "msg",
        (Arg("name, name", Kind.PEOPLE), Arg("text", needed=False)),
        "write to one person or a few alone",
        "write to someone alone",
        _PEOPLE,
        "",
        ("dm", "query"),
    ),
    Command("who", (), "who is here", "who is here", _PEOPLE),
    Command("whois", (_WHO,), "who somebody is", "who somebody is", _PEOPLE),
    Command("away", (Arg("why", needed=False),), "be away", "be away", _PEOPLE),
    Command("back", (), "be here again", "be here again", _PEOPLE),
    Command("nick", (Arg("new name", Kind.WORD),), "take another name", "take another name", _PEOPLE),
    Command("say", (Arg("text"),), "send it as it stands, even exit or /help", "send it as it stands", _MESSAGES),
    Command("me", (Arg("what you do"),), "say it as an action: * alice waves", "say it as an action", _MESSAGES),
    Command("reply", (Arg("text"),), "answer what was said last", "answer the last one", _MESSAGES),
    Command("edit", (Arg("new text", needed=False),), "change what you said last", "change your last one", _MESSAGES),
    Command("delete", (), "delete what you said last", "delete your last one", _MESSAGES),
    Command("react", (Arg("emoji", Kind.EMOJI),), "react to what was said last", "react to the last one", _MESSAGES),
    Command("thread", (), "open the thread of what was said last", "open its thread", _MESSAGES),
    Command("pin", (), "pin what was said last, or take it off", "pin the last one", _MESSAGES),
    Command("pins", (), "what is pinned here", "what is pinned here", _MESSAGES),
    Command("link", (), "copy a link to what was said last", "copy a link to it", _MESSAGES),
    Command("search", (Arg("words", needed=False),), "search all rooms", "search all rooms", _READING, "log.search"),
    Command("goto", (Arg("day or link"),), "read what was said then, or there", "to a day or a link", _READING),
    Command("catchup", (), "all that is unread", "all that is unread", _READING, "rooms.catch_up"),
    Command("read", (_ROOM_HERE,), "mark the room as read", "mark it as read", _READING),
    Command("unread", (), "mark what was said last as unread", "mark it as unread", _READING),
    Command("clear", (), "empty the view; PgUp brings it back", "empty the view", _READING),
    Command("help", (), "keys and commands", "keys and commands", _PROGRAM, "program.help"),
    Command("device", (), "come in as yourself on another device", "another device", _PROGRAM),
    Command("quit", (), "leave the program; exit alone does it, too", "leave the program", _PROGRAM, "program.quit"),
)

BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.also)}


class Say(NamedTuple):
    """A message to send."""

    text: str
    me: bool = False


class Call(NamedTuple):
    """A command to run."""

    command: Command
    values: tuple[str, ...] = ()
    """One for each of its arguments; empty for one that was left out."""


class Complaint(NamedTuple):
    """Nothing to do, and why: the line is not sent."""

    text: str


class Typing(NamedTuple):
    """The argument of a command that is being typed."""

    command: Command
    arg: Arg | None
    """None where nothing more belongs there."""
    start: int
    """Where in the line it starts."""


def read(line: str) -> Say | Call | Complaint | None:
    """Return what a line of input asks for; None for an empty one."""
    if not line.strip():
        return None
    if line.strip() == "exit":
        return Call(BY_NAME["quit"])
    if line.startswith("//"):
        return Say(line[1:])
    if not line.startswith("/"):
        return Say(line)
    name, argument = _split(line)
    command = BY_NAME.get(name.casefold())
    if command is None:
        return Complaint(_unknown(name))
    values: list[str] = []
    for arg, (start, end) in zip(command.args, _places(command, argument), strict=True):
        value = _value(arg, argument[start:end].strip())
        if isinstance(value, Complaint):
            return value
        if arg.needed and not value:
            return Complaint(f"/{command.name} needs something after it: {command.usage}")
        values.append(value)
    if command.name in ("say", "me"):
        return Say(values[0], me=command.name == "me")
    if argument and not command.args:
        return Complaint(f"/{command.name} takes nothing after it.")
    return Call(command, tuple(values))


def written(text: str, me: bool = False) -> str:
    """Return the line of input that says a text, whatever it starts with."""
    if me:
        return f"/me {text}"
    if text.strip() == "exit":
        return f"/say {text}"
    return f"/{text}" if text.startswith("/") else text


def suggest(line: str) -> list[Command]:
    """Return the commands that a line may become while its name is written; none else."""
    if not line.startswith("/") or line.startswith("//") or any(space in line for space in " \n"):
        return []
    typed = line[1:].casefold()
    return [command for command in COMMANDS if any(name.startswith(typed) for name in (command.name, *command.also))]


def typing(line: str, cursor: int) -> Typing | None:
    """Return which argument the cursor is in; None where no command's is."""
    name = re.match(r"/([^\s/]+)\s", line)
    if name is None or cursor < name.end() or (command := BY_NAME.get(name[1].casefold())) is None:
        return None
    typed = line[name.end() : cursor]
    for arg, (start, end) in zip(command.args, _places(command, typed, written=False), strict=True):
        if end == len(typed) and (start < end or not typed or typed[-1].isspace() or typed.endswith(",")):
            return Typing(command, arg, name.end() + start)
    return Typing(command, None, cursor)


def _split(line: str) -> tuple[str, str]:
    """Return the name and what follows it, up to the end and over all lines."""
    parts = line[1:].split(None, 1)
    if not parts or line[1:2].isspace():
        return "", line[1:].strip()
    return parts[0], parts[1].strip() if len(parts) > 1 else ""


_NAMES = re.compile(r"[^\s,]+(?:\s*,\s*[^\s,]+)*(?:\s*,\s*)?")
_ONE = re.compile(r"\S+")


def _places(command: Command, text: str, *, written: bool = True) -> Iterator[tuple[int, int]]:
    """Yield where each argument of a command stands in what follows it; an empty range for one that does not.

    Without `written` the last word may not be all that it is to be.
    """
    at = 0
    for number, arg in enumerate(command.args, 1):
        at += len(text[at:]) - len(text[at:].lstrip())
        last = number == len(command.args)
        if arg.kind is Kind.TEXT or last:
            yield at, len(text)
            at = len(text)
            continue
        found = (_NAMES if arg.kind is Kind.PEOPLE else _ONE).match(text, at)
        grows = found is not None and not written and found.end() == len(text)
        if found is None or (arg.choices and not arg.needed and not _is_choice(arg, found[0], grows=grows)):
            yield at, at
            continue
        yield at, found.end()
        at = found.end()


def _is_choice(arg: Arg, word: str, *, grows: bool) -> bool:
    """Tell whether a word is one of the choices, or may become one where it still `grows`."""
    word = word.casefold()
    return word in arg.choices or (grows and any(choice.startswith(word) for choice in arg.choices))


def _value(arg: Arg, typed: str) -> str | Complaint:
    """Return an argument as the acts take it, or why it can't be one."""
    if not typed:
        return ""
    match arg.kind:
        case Kind.ROOM:
            return typed.removeprefix("#")
        case Kind.PERSON:
            return typed.removeprefix("@")
        case Kind.PEOPLE:
            return ",".join(name.strip().removeprefix("@") for name in typed.split(",") if name.strip())
        case Kind.EMOJI:
            return emoji.short_name(typed) or Complaint(_no_emoji(typed))
        case Kind.CHOICE if typed.casefold() not in arg.choices:
            return Complaint(f"{typed} is none of {', '.join(arg.choices)}.")
        case Kind.CHOICE:
            return typed.casefold()
    return typed


def _unknown(name: str) -> str:
    """Say that there is no such command, and which may be meant."""
    from difflib import get_close_matches  # seldom needed, and not at the start

    near = get_close_matches(name.casefold(), list(BY_NAME), n=1, cutoff=0.5)
    meant = f"Did you mean /{near[0]}?" if near else "F1 shows all."
    return f"There is no command /{name}. {meant} To send a line that starts with /, write //."


def _no_emoji(typed: str) -> str:
    near = emoji.matching(typed.strip(":"))[:3]
    meant = f"Did you mean {' or '.join(near)}?" if near else "Type /react and Tab to see some."
    return f"There is no emoji called {typed}. {meant}"
