"""What the word before the cursor may become: commands and their arguments, rooms, names, emoji."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from chat_tui import commands
from chat_tui.commands import Arg, Command, Kind
from chat_tui.state.chat import Chat, Sort
from chat_tui.state.emoji import in_column, matching, picture, short_name
from chat_tui.state.recall import NOTHING, Offer, Offers

_EMOJI = r"(?i::[a-z0-9_+-]{2,32})"
_MOST = 100
"""Offers made: nobody looks through more."""


class Known(NamedTuple):
    """What can be named here."""

    names: list[str]
    """People, who is meant most often first."""
    rooms: list[tuple[str, str]]
    """Handles, with the titles that stand beside them."""
    may: Callable[[Command], bool] = lambda _: True
    """Whether a command is for me, here."""


def known(chat: Chat, sort: Sort, may: Callable[[Command], bool]) -> Known:
    """Return who and what can be named in the current room.

    Who spoke there last is meant most often, then all who are here, then whoever was met.
    """
    people = chat.current.people
    spoke = (name for name in chat.current.timeline.spoke() if name in people.names)
    names = dict.fromkeys([*spoke, *people.ordered(chat.name), *chat.names.values()])
    names.pop(chat.name, None)
    rooms = [(room.handle, room.title) for room in chat.ordered(sort) if room.kind != "direct"]
    return Known(list(names), rooms, may)


def offers(text: str, cursor: int, known: Known) -> Offers:
    """Return what the word before the cursor may become. `floats` says that the list is shown unasked."""
    found = _command(text, cursor, known) if text.startswith("/") and not text.startswith("//") else None
    if found is None:
        found = _in_text(text, cursor, known)
    elif isinstance(found, commands.Typing):
        found = _argument(text[found.start : cursor], found, known)
    return found._replace(offers=found.offers[:_MOST])


def emoji_before(text: str, cursor: int) -> tuple[int, str] | None:
    """Return where a word `:name:` before the cursor starts, and its picture; None where there is none."""
    start = word_start(text, cursor)
    if text.count("`", 0, start) % 2:
        return None  # in code it stays as it is typed
    word = text[start:cursor]
    name = short_name(word) if len(word) > 2 and word[0] == word[-1] == ":" else None
    return (start, picture(name)) if name else None


def word_start(text: str, cursor: int) -> int:
    """Return where the word before the cursor starts."""
    return max(text.rfind(space, 0, cursor) for space in " \n\t") + 1


def _command(text: str, cursor: int, known: Known) -> Offers | commands.Typing | None:
    """Return the commands that fit, or which argument is being typed; None where text is."""
    named = commands.suggest(text[:cursor], known.may)
    if named:
        return Offers(0, tuple(Offer(f"/{one.name} ", one.usage, one.help, one.short) for one in named), floats=True)
    return commands.typing(text, cursor)


def _argument(typed: str, where: commands.Typing, known: Known) -> Offers:
    if where.arg is None:
        return NOTHING
    if where.arg.kind is Kind.TEXT:
        return _in_text(typed, len(typed), known).moved(where.start)
    skipped = 0
    if where.arg.kind is Kind.PEOPLE:  # the last of several
        skipped = len(typed) - len(typed.rpartition(",")[2].lstrip())
    found = tuple(_of_kind(where.arg, typed[skipped:], known))
    named = where.arg.kind in (Kind.PERSON, Kind.PEOPLE, Kind.PLACE) and not typed.startswith("#")
    return Offers(where.start + skipped, found, floats=True, name=typed[skipped:].removeprefix("@") if named else "")


def _of_kind(arg: Arg, typed: str, known: Known) -> Iterator[Offer]:
    match arg.kind:
        case Kind.ROOM:
            yield from _rooms(typed.removeprefix("#"), known.rooms)
        case Kind.PERSON | Kind.PEOPLE:
            yield from _names(typed.removeprefix("@"), known.names)
        case Kind.PLACE:
            if not typed.startswith("@"):
                yield from _rooms(typed.removeprefix("#"), known.rooms)
            if not typed.startswith("#"):
                yield from _names(typed.removeprefix("@"), known.names)
        case Kind.EMOJI:
            for name in matching(typed.strip(":")):
                yield Offer(f"{name} ", f"{in_column(name)}  {name}")
        case Kind.CHOICE | Kind.TIME:
            yield from (Offer(f"{choice} ", choice) for choice in arg.choices if choice.startswith(typed.casefold()))


def _in_text(text: str, cursor: int, known: Known) -> Offers:
    """Complete a word of a message: only what its first character announces is offered unasked."""
    start = word_start(text, cursor)
    word = text[start:cursor]
    match word[:1]:
        case "":
            return NOTHING
        case "#":
            found = _rooms(word[1:], known.rooms, "#")
        case "@":
            found = _names(word[1:], [*known.names, "here"], "@")
        case ":" if re.fullmatch(_EMOJI, word):
            found = (Offer(f"{picture(name)} ", f"{in_column(name)}  {name}") for name in matching(word[1:]))
        case _:
            named = _names(word, known.names, end=" " if start else ": ")
            return Offers(start, tuple(named), floats=False, name=word)
    return Offers(start, tuple(found), floats=True, name=word[1:] if word[0] == "@" else "")


def _names(typed: str, names: Iterable[str], mark: str = "", end: str = " ") -> Iterator[Offer]:
    wanted = typed.casefold()
    return (Offer(mark + name + end, mark + name) for name in names if name.casefold().startswith(wanted))


def _rooms(typed: str, rooms: Iterable[tuple[str, str]], mark: str = "") -> Iterator[Offer]:
    wanted = typed.casefold()
    for handle, title in rooms:
        if handle.casefold().startswith(wanted) or title.casefold().startswith(wanted):
            yield Offer(f"{mark}{handle} ", f"#{handle}", title if title != handle else "")
