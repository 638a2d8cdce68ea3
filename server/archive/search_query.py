"""What is searched for, and how that is said to SQLite's FTS5."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from server.archive.words import words
from server.protocol.errors import Code, ProtocolError

DEADLINE: Final = 0.08
"""Seconds for one query: after a tenth of a second people notice that they wait. They can go on where it stopped."""

LEAST_PREFIX: Final = 2
"""Characters before a star: with fewer, a good part of all words would have to be put together."""

_PARTS: Final = re.compile(r'"([^"]*)"?|([^\s"]+)')
_QUOTES: Final = str.maketrans("“”„‟＂", '"""""')
_LINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/]")


class Term(Struct, frozen=True):
    """Words that stand one after the other; often it is one."""

    words: tuple[str, ...]
    prefix: bool = False
    """The last one is only the start of a word."""


class IndexQuery(Struct, kw_only=True):
    """What is looked for. All that is given must hold."""

    rooms: list[tuple[int, int]]
    """The rooms that may be read, and after which seq."""
    terms: list[Term] = []
    users: list[int] = []
    """Said by one of these, or under the name `sender`; with neither, by anyone."""
    sender: str = ""
    since: int | None = None
    """Milliseconds since 1970: said at or after this."""
    till: int | None = None
    """Milliseconds since 1970: said before this."""
    has: Sequence[str] = ()
    """`link`, `file`."""
    before: int | None = None
    """Only below this seq."""
    limit: int = 20
    deadline: float = DEADLINE
    """Seconds from being asked."""


class Found(Struct, kw_only=True):
    """What was found, and how far it was looked; see `server.protocol.frames.Found`."""

    seqs: list[int]
    """Newest first."""
    reached: int = 0
    """All from here on was looked at: `before` of the query for more. 0: nothing is left to look at."""
    late: bool = False
    """The time was up, or the limit met: there may be more below `reached`."""
    upto: int = 0
    """What is newer than this is not searched yet; 0: all is searched."""


def parse(text: str, *, filtered: bool = False) -> list[Term]:
    """Return the terms of what somebody typed: words, "phrases", and starts of words with a star.

    What is no word only parts words: `don't` is looked for as `don` and `t` one after the other, as it was indexed.

    Args:
        text: as it was typed.
        filtered: something else is looked for as well (who, when, what is in it), so that there need be no word.

    Raises:
        ProtocolError: BAD_QUERY, there is nothing to look for.
    """
    terms: dict[Term, None] = {}
    for part in _PARTS.finditer(text.translate(_QUOTES)):
        typed = part[1] or part[2] or ""
        found = tuple(words(typed))
        # A star does something only where one more letter would belong to the last word.
        prefix = bool(found) and typed.endswith("*") and len(words(typed[:-1] + "x")) == len(found)
        if prefix and len(found[-1]) < LEAST_PREFIX:
            raise ProtocolError(Code.BAD_QUERY, f"A star needs at least {LEAST_PREFIX} letters or digits before it.")
        if found:
            terms[Term(found, prefix)] = None
    if not terms and (text.strip() or not filtered):
        raise ProtocolError(Code.BAD_QUERY, "There is nothing to look for: give a word, made of letters or digits.")
    return list(terms)


def name_mark(sender: str) -> str:
    """Return the token of whoever is called so. In hexadecimal: names hold more than letters, tokens don't."""
    return "n" + unicodedata.normalize("NFKC", sender).casefold().encode().hex()


def marks(room: int, user: int, sender: str, text: str) -> str:
    """Return the tokens by which a message is found besides its words."""
    link = " haslink" if "://" in text and _LINK.search(text) else ""
    return f"r{room} u{user} {name_mark(sender)}{link}"


def expression(query: IndexQuery, rooms: Sequence[int]) -> str:
    """Return the FTS5 expression for a query, in these rooms if there are any; empty where nothing is asked.

    Only tokens that were made here get into it, quoted.
    """
    parts = [f'words : "{" ".join(term.words)}"{" *" if term.prefix else ""}' for term in query.terms]
    parts += [_any([f"has{what}"]) for what in query.has]
    if query.users or query.sender:
        people = [f"u{user}" for user in query.users]
        parts.append(_any([*people, name_mark(query.sender)] if query.sender else people))
    if rooms:
        parts.append(_any([f"r{room}" for room in rooms]))
    return " AND ".join(parts)


def _any(tokens: Iterable[str]) -> str:
    return "marks : (" + " OR ".join(f'"{token}"' for token in tokens) + ")"
