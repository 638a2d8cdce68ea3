"""What a line of input means."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from chat_tui.catalogue import BY_NAME as BY_NAME
from chat_tui.catalogue import COMMANDS as COMMANDS
from chat_tui.catalogue import Arg as Arg
from chat_tui.catalogue import Command as Command
from chat_tui.catalogue import Kind as Kind
from chat_tui.state import emoji
from chat_tui.state.dates import parse_span
from chat_tui.state.guarded import what_it_is


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
    slash = len(line) - len(line.lstrip())
    if line.startswith("//", slash):
        return Say(line[:slash] + line[slash + 1 :])
    if not line.startswith("/", slash):
        return Say(line)
    line = line[slash:]
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
        if arg.kind is Kind.TIME and not arg.needed and start == end and re.compile(_TIMES).match(argument, start):
            return Complaint(f"{argument[start:].split()[0]} is no time: {_SOME_TIMES} or forever is. Then the reason.")
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
    slash = len(text) - len(text.lstrip())
    return f"{text[:slash]}/{text[slash:]}" if text.startswith("/", slash) else text


def tells_secret(line: str) -> bool:
    """Tell whether a line that is being written holds, by mistake, what is asked for unseen: it is kept nowhere."""
    if what_it_is(line):
        return True
    line = line.strip()
    name, argument = _split(line) if line.startswith("/") else ("", "")
    command = BY_NAME.get(name.casefold())
    if command is None or not argument:
        return False
    return command is BY_NAME["login"] or any(arg.kind is Kind.SECRET for arg in command.args)


def suggest(line: str, may: Callable[[Command], bool] = lambda _: True) -> list[Command]:
    """Return the commands that a line may become while its name is written, of those I may run; none else."""
    if not line.startswith("/") or line.startswith("//") or any(space in line for space in " \n"):
        return []
    typed = line[1:].casefold()
    return [
        command
        for command in COMMANDS
        if any(name.startswith(typed) for name in (command.name, *command.also)) and may(command)
    ]


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


# Compiled when first used, as all patterns here: that takes longer than the first paint can wait.
_NAMES = r"[^\s,]+(?:\s*,\s*[^\s,]+)*(?:\s*,\s*)?"
_ONE = r"\S+"
_TIMES = (
    r"(?i:\d+\s*($|(s|m|h|d|w|y|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?|months?|years?)\b)"
    r"|(for\s+(\d|an?\b|good\b)|an?\s+(hour|day|week|month|year)|until|till|to(day|night|morrow)"
    r"|(mon|tues|wednes|thurs|fri|satur|sun)day|permanent(ly)?|always|ever)\b)"
)
"""What starts like a time and can't be read as one: nobody is banned for good by a slip of the pen."""
_SOME_TIMES = "10m, 2h, 7d"


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
        found = re.compile(_NAMES if arg.kind is Kind.PEOPLE else _ONE).match(text, at)
        grows = found is not None and not written and found.end() == len(text)
        if found is None or (arg.choices and not arg.needed and not _fits(arg, found[0], grows=grows)):
            yield at, at
            continue
        yield at, found.end()
        at = found.end()


def _fits(arg: Arg, word: str, *, grows: bool) -> bool:
    """Tell whether a word is one of the choices, or may become one where it still `grows`."""
    word = word.casefold()
    if arg.kind is Kind.TIME and (parse_span(word) is not None or (grows and word.isdecimal())):
        return True
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
        case Kind.SECRET:
            return "typed"
        case Kind.EMOJI:
            return emoji.short_name(typed) or Complaint(_no_emoji(typed))
        case Kind.CHOICE if typed.casefold() not in arg.choices:
            return Complaint(f"{typed} is none of {', '.join(arg.choices)}.")
        case Kind.CHOICE:
            return typed.casefold()
        case Kind.TIME:
            return _seconds(typed)
    return typed


def _seconds(typed: str) -> str | Complaint:
    """Return a time that was typed in seconds; nothing for one without an end."""
    if typed.casefold() == "forever":
        return ""
    seconds = 0 if typed.casefold() == "off" else int(typed) if typed.isdecimal() else parse_span(typed)
    return str(seconds) if seconds is not None else Complaint(f"{typed} is no time: {_SOME_TIMES} is.")


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
