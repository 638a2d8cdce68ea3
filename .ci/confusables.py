"""Make server/protocol/confusables.txt anew: `uv run --with confusable-homoglyphs python .ci/confusables.py`.

The package carries Unicode's confusables.txt (UTS #39) as pairs; here they become classes, a line each: what all of its
characters look like, a tab, the characters. Only what a nick may hold after normalisation is kept.
"""

import unicodedata
from collections import defaultdict
from pathlib import Path

from confusable_homoglyphs import confusables  # type: ignore[import-not-found]

OUT = Path(__file__).parent.parent / "server" / "protocol" / "confusables.txt"


def main() -> None:
    """Write the table."""
    parent: dict[str, str] = {}

    def root(item: str) -> str:
        while parent.setdefault(item, item) != item:
            item = parent[item]
        return item

    for item, others in confusables.confusables_data.items():
        for other in others:
            # Left-to-right marks stand around some right-to-left prototypes: they have no looks.
            parent[root(item.replace("\u200e", ""))] = root(other["c"].replace("\u200e", ""))
    classes = defaultdict(list)
    for item in parent:
        classes[root(item)].append(item)
    lines = []
    for items in classes.values():
        # "rn" stands for m: a class with a string of several characters must be known by that string.
        looks = max(items, key=lambda item: (len(item), item.isascii(), -ord(item[0])))
        same = sorted(item for item in items if item != looks and len(item) == 1 and _in_a_nick(item))
        if same:
            lines.append(f"{looks}\t{''.join(same)}\n")
    OUT.write_text("".join(sorted(lines)), encoding="utf-8")


def _in_a_nick(character: str) -> bool:
    normal = unicodedata.normalize("NFKC", character)
    return normal == character and (unicodedata.category(character)[0] in "LMN" or character in "_.-")


main()
