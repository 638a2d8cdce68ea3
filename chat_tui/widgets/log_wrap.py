"""Cutting a text into lines by the cells that a terminal gives it."""

from itertools import pairwise

from rich.cells import cell_len, split_graphemes

Span = tuple[int, int]
"""Where a line starts and ends in its text, in characters."""

_NEVER_FIRST = frozenset("、。，．：；！？）」』】〉》〕ー々 ")
"""What closes a phrase in Chinese and Japanese does not start a line."""


def wrap(text: str, width: int) -> list[Span]:
    """Return the lines of `text`, none wider than `width` cells (at least 2).

    A line ends at a space, which is left out, or after a wide character; a word that no line holds is cut where the
    line is full. A character and what combines with it stay together.
    """
    if len(text) <= width and text.isascii() and "\n" not in text:
        return [(0, len(text))]
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        if line.isascii():
            _wrap_narrow(text, start, end, width, spans)
        elif cell_len(line) <= width:
            spans.append((start, end))
        else:
            _wrap_cells(line, start, width, spans)
        start = end + 1
    return spans


def cut(text: str, width: int) -> list[Span]:
    """Return the lines of code, none wider than `width` cells (at least 2): cut where they are full, spaces and all."""
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        if line.isascii():
            edges = list(range(start, start + len(line), width)) or [start]
        else:
            edges, used = [start], 0
            for at, _, cells in split_graphemes(line)[0]:
                if used + cells > width and used:
                    edges.append(start + at)
                    used = 0
                used += cells
        end = start + len(line)
        spans += pairwise([*edges, end])
        start = end + 1
    return spans


def _wrap_narrow(text: str, start: int, end: int, width: int, spans: list[Span]) -> None:
    """Cut a line in which each character takes one cell."""
    while end - start > width:
        cut = text.rfind(" ", start + 1, start + width + 1)
        if cut < 0:
            spans.append((start, start + width))
            start += width
        else:
            spans.append((start, cut))
            start = cut + 1
    spans.append((start, end))


def _wrap_cells(line: str, offset: int, width: int, spans: list[Span]) -> None:
    """Cut a line grapheme by grapheme. `offset` is where it starts in its text."""
    start = cut = used = 0
    wide_before = False
    graphemes, _ = split_graphemes(line)
    for at, _, cells in graphemes:
        character = line[at]
        if character == " " or ((cells == 2 or wide_before) and character not in _NEVER_FIRST):
            cut = at
        wide_before = cells == 2
        while used + cells > width and at > start:
            end = cut if cut > start else at
            spans.append((offset + start, offset + end))
            start = end + (line[end] == " ")
            used = cell_len(line[start:at])
        if at >= start:
            used += cells
    spans.append((offset + start, offset + len(line)))
