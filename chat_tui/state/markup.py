"""A message's text as it is shown: a small Markdown. What is not quite markup stays as it was typed."""

import re
from collections.abc import Sequence

from chat_tui.state.marks import Block, Kind, Look, Mark, Marked

__all__ = ["Block", "Kind", "Look", "Mark", "Marked", "addresses", "plain", "read"]

_PERHAPS = r"(?m:[*_`\[@#]|://|^>|^ {0,8}(?:- |\d{1,3}[.)] ))"
"""Any of what can make a text more than its characters: most have none of it."""


def read(text: str, *, blocks: bool = True) -> Marked:
    """Return `text` as it is shown.

    Args:
        text: as it was written, cleaned.
        blocks: look for quotes, lists and code of several lines, too.
    """
    if not re.search(_PERHAPS, text):
        return Marked(text, (), (Block(0, len(text)),))
    from chat_tui.state.markdown import parse  # not before the first paint

    return parse(text, blocks)


def addresses(text: str) -> Sequence[Mark]:
    """Return where a text that is no Markdown holds addresses."""
    if "://" not in text:
        return ()
    from chat_tui.state.markdown import find_addresses

    return find_addresses(text)


def plain(text: str, most: int = 300) -> str:
    """Return what a text says on one line, without its markup: of a long one the first `most` characters or so."""
    return " ".join(read(text[:most]).text.split())
