"""Text from others, made safe: the one place that says what a name, a room and a message may hold.

The server passes every string through here where it enters, the client again where it takes it in: nothing that comes
out can move a cursor, ring, colour, reorder or break a line of a terminal. All functions are idempotent.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

import msgspec

from server.protocol import limits
from server.protocol.errors import Code, ProtocolError

_HOSTILE: Final = (
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1: these drive terminals
    "\u2028\u2029"  # line and paragraph separator: lines that a grid does not expect
    "\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c"  # bidi overrides, isolates and marks reorder what stands around them
    "\u200b\u2060\ufeff\u00ad"  # zero width: what can't be seen can't be compared
    "\ufff9-\ufffb"  # interlinear annotation
    "\ud800-\udfff"  # lone surrogates can't be encoded
    "]"
)


@cache
def _hostile() -> re.Pattern[str]:
    """Return a pattern of what could act on a terminal: compiled when first needed, not before a first paint."""
    return re.compile(_HOSTILE)


def _harmless(match: re.Match[str]) -> str:
    character = match[0]
    if character < " ":
        return chr(0x2400 + ord(character))  # the picture of the control character: ␛ for ESC
    if character == "\x7f":
        return "\u2421"
    return "\ufffd"


def clean(text: str) -> str:
    """Return `text` with everything that could act on a terminal replaced by a mark that shows where it stood.

    Tabs and newlines stay; carriage returns and the other line ends become newlines.
    """
    if text.isprintable() and text.isascii():
        return text
    if "\r" in text or "\u2028" in text or "\u2029" in text or "\x85" in text:
        text = re.sub("\r\n?|[\u2028\u2029\x85]", "\n", text)
    return _hostile().sub(_harmless, text)


def clean_line(text: str) -> str:
    """Return `text` cleaned and on one line: for what stands in a grid (names, reasons, topics)."""
    text = clean(text)
    return text if text.isprintable() else re.sub(r"[\n\t]+", " ", text)


_SURELY: Final = limits.TEXT // 6
"""Characters of a text that is not too long whatever they are: none takes more than 6 bytes in JSON."""


def check_text(text: str) -> str:
    """Return a message's text, cleaned; ProtocolError where it is empty or too long."""
    if not (text.isascii() and text.isprintable()):
        text = clean(text)
    if not text or text.isspace():
        raise ProtocolError(Code.BAD_TEXT, "A message needs a text.")
    if len(text) > _SURELY and len(msgspec.json.encode(text)) > limits.TEXT:
        raise ProtocolError(
            Code.BAD_TEXT, f"This text is too long: more than {limits.TEXT // 1024} KiB. Send it in parts."
        )
    return text


_PLAIN: Final = re.compile(
    rf"(?!.*(.)\1{{7}})[a-z0-9][a-z0-9_.-]{{0,{limits.NAME_CHARS - 1}}}", re.IGNORECASE | re.ASCII
)
"""Names that are in their normal form and can be taken, as most are: they need no look at each character."""


def check_name(name: str) -> str:
    """Return a nick in its normal form (NFKC); ProtocolError with what to change where it can't be one."""
    if _PLAIN.fullmatch(name):
        return name
    name = unicodedata.normalize("NFKC", name).strip()
    if not name:
        raise ProtocolError(Code.BAD_NAME, "A name needs at least one letter or digit.")
    if len(name) > limits.NAME_CHARS:
        raise ProtocolError(Code.BAD_NAME, f"This name is too long: at most {limits.NAME_CHARS} characters.")
    if not all(_in_a_name(character) for character in name):
        raise ProtocolError(Code.BAD_NAME, "A name is made of letters, digits and _ . - only, without spaces.")
    if not any(character.isalnum() for character in name) or unicodedata.category(name[0])[0] == "M":
        raise ProtocolError(Code.BAD_NAME, "A name needs at least one letter or digit, and starts with no accent.")
    if re.search(r"(.)\1{7}", "".join("M" if unicodedata.category(c)[0] == "M" else "x" + c for c in name)):
        raise ProtocolError(Code.BAD_NAME, "This name repeats a character too often.")
    return name


def check_own_name(name: str) -> str:
    """Return a nick as `check_name` does; ProtocolError also where it would be read as more than a person's name.

    For the server: it takes the table of characters that look alike, which no terminal has to load.
    """
    name = check_name(name)
    if not _reserved().isdisjoint(name_keys(name)):
        raise ProtocolError(Code.BAD_NAME, "This name would be taken for more than a person's. Pick another.")
    return name


def _in_a_name(character: str) -> bool:
    if character in _INVISIBLE:
        return False
    return character in "_.-" or unicodedata.category(character) in _NAME_CATEGORIES


_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164),
        (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0x16FE4, 0x16FE4), (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""Letters and marks that show nothing: Unicode's Default_Ignorable_Code_Point, as far as a name may hold it, and the
Khitan filler."""

_NAME_CATEGORIES = frozenset({"Ll", "Lu", "Lt", "Lo", "Mn", "Mc", "Nd"})


def check_room(room: str) -> str:
    """Return a room's handle in its normal form (NFKC, case-folded, no `#`); ProtocolError where it can't be one."""
    handle = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", room).strip().removeprefix("#").casefold())
    if not 0 < len(handle) <= limits.ROOM_CHARS:
        raise ProtocolError(Code.BAD_ROOM, f"A room's name has 1 to {limits.ROOM_CHARS} characters.")
    if not all(_in_a_name(character) for character in handle) or not handle[0].isalnum():
        raise ProtocolError(
            Code.BAD_ROOM, "A room's name is made of letters, digits and _ . - only, and starts with a letter or digit."
        )
    return handle


@lru_cache(1024)  # a name that comes in is looked at several times over
def name_keys(name: str) -> frozenset[str]:
    """Return what a checked name looks like: two names that share a key can't both be in use.

    Upper and lower case are the same, and so are characters that look alike (UTS #39): `Alice` and `аlice` with a
    Cyrillic а both conflict with `alice`.
    """
    folded = name.casefold()
    looks = _looks(name)
    same = looks.casefold()
    return frozenset({looks if folded == name else _looks(folded), same, looks if same == name else _looks(same)})


RESERVED: Final = frozenset(
    {
        "here", "everyone", "all",
        "server", "chat-server", "chat_server", "system", "host", "root",
        "owner", "admin", "administrator", "moderator", "mod", "support", "security",
        "nobody", "erased",
    }
)  # fmt: skip
"""What nobody may be called, nor anything that looks like it: it would be read as more than a person's name."""


@cache
def _reserved() -> frozenset[str]:
    return frozenset(key for name in RESERVED for key in name_keys(name))


def _looks(name: str) -> str:
    decomposed = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFD", decomposed.translate(_confusables()))


@cache
def _confusables() -> dict[int, str]:
    """Read the table once, when the first name comes. Made by .ci/confusables.py."""
    from importlib import resources  # takes as long to load as the rest of this module, and a terminal never needs it

    table = {}
    text = resources.files("server.protocol").joinpath("confusables.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        looks, _, same = line.partition("\t")
        for character in same:
            table[ord(character)] = looks
    # A prototype may hold characters that have one of their own.
    return {source: looks.translate(table) for source, looks in table.items()}
