"""What counts as a word: the one place that says so, for what is searched and for what is searched for.

Two texts that look the same to a reader have the same words: case, accents, width and the way a character is composed
make no difference. Where a script puts no spaces between words, every character is a word, so that what is searched for
is found in the middle of a sentence.
"""

import re
import unicodedata
from typing import Final

RULES: Final = f"1/{unicodedata.unidata_version}"
"""Changes whenever these rules do, or the Unicode tables below them: what was indexed by others is of no use then."""

LONGEST: Final = 64
"""Characters of a word; the rest is cut off. Nobody types longer ones, and pasted data is full of them."""

_SPACELESS: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF),  # Hangul: its endings stick to the word
    (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x1AFF0, 0x1B16F),  # kana, and what repeats an ideograph
    (0x3100, 0x312F), (0x31A0, 0x31BF),  # Bopomofo
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),  # ideographs
    (0xA000, 0xA4CF),  # Yi
)  # fmt: skip

_ACCENTS: Final = re.compile(
    "["
    "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # of Latin, Greek and others
    "\u0483-\u0489"  # Cyrillic
    "\u0591-\u05c7"  # Hebrew points
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640"  # Arabic vowels, and what only makes a word longer
    "\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"  # joiners and variants: they are not seen
    "]+"
)
"""What is left out of decomposed text. Marks of other scripts are no accents but vowels, and stay."""

_LETTERS: Final = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})
"""Letters that look like others with an accent, and are not composed of them."""

_ASCII: Final = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}


class _Characters(dict[int, str]):
    """What stands for a character of folded text: itself, a space, or itself between spaces."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cn", "Co", "Cs"):
            return " "  # not kept: there are a million of them
        if category[0] not in "LNM":
            seen = " "
        else:
            alone = any(first <= code <= last for first, last in _SPACELESS)
            seen = f" {character} " if alone else character
        self[code] = seen
        return seen


_characters = _Characters()


def words(text: str) -> list[str]:
    """Return the words of a text in their order, each without a space in it and at most `LONGEST` characters."""
    if text.isascii():
        found = text.translate(_ASCII).split()
    else:
        folded = unicodedata.normalize("NFKC", text).casefold()
        # An accent is a character of its own only in decomposed text; kana and Hangul are whole only in composed text.
        bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded)).translate(_LETTERS)
        found = unicodedata.normalize("NFKC", bare).translate(_characters).split()
    if len(text) > LONGEST:
        return [word[:LONGEST] for word in found]
    return found
