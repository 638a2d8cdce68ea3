"""Reads a small Markdown: bold, italic, code, quotes, lists, links that say where they lead, names of people and rooms.

Every text is read in one pass, and not all of it where it holds very much. Emphasis, code and links begin and end on
one line.
"""

import re
from bisect import bisect_left
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from chat_tui.state.marks import Block, Kind, Look, Mark, Marked

_ADDRESS = r"(?:https?|chat)://(?:(?!\]\()[^\s<>\"`])+"
_TOKEN = re.compile(
    rf"`+|\*+|_+|\[|{_ADDRESS}"
    r"|(?<![\w@/.])@\w[\w.-]{0,31}"
    r"|(?<![\w#/&])#[^\W\d_][\w.-]{0,47}",
    re.IGNORECASE,
)
_URL = re.compile(_ADDRESS, re.IGNORECASE)
_LINK = re.compile(
    r"\[([^\[\]]{1,300})\]\(((?:https?|chat)://(?:[^\s()<>\"`\\]|\([^\s()<>\"`\\]*+\))++)\)", re.IGNORECASE
)
_LIKE_AN_ADDRESS = re.compile(r".*(?:://|www\.)|[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}(?:[:/?#]\S*)?$", re.IGNORECASE)
_ITEM = re.compile(r"( {0,8})([-*]|\d{1,3}[.)]) (?=\S)")
_MOST = 1000
"""Lines of a text, and what may be markup in them, that are looked at: a few milliseconds. What follows is shown as it
was typed; nobody writes as much by hand."""
_FENCE = "```"
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")
_LONG = 48
"""Characters of an address that are shown after a link's own words; of a longer one the host."""
_STARTS = "([{\"'@#$+&*_`"
_ENDS = ")]}\"'.,;:!?%*_`"
"""What emphasis may begin and end with, besides letters and digits: so that neither faces nor file patterns are any."""


def parse(text: str, blocks: bool) -> Marked:
    """Return `text` as it is shown; `blocks` says whether to look for what takes whole lines, too."""
    reader = _Reader()
    reader.lines(text.split("\n"), blocks)
    return reader.marked()


def find_addresses(text: str) -> list[Mark]:
    """Return where a text holds addresses."""
    found = ((match.start(), _trimmed(match[0])) for match in _URL.finditer(text))
    return [Mark(start, start + len(url), Look.LINK, _target(url)) for start, url in found if not url.endswith("://")]


class _Reader:
    """Collects the shown text piece by piece. Where marks and blocks lie is known by piece until all are there."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._marks: list[Mark] = []
        self._blocks: list[Block] = []
        self._left = _MOST

    def marked(self) -> Marked:
        """Return all that was read."""
        at, starts = 0, []
        for piece in self._pieces:
            starts.append(at)
            at += len(piece)
        starts.append(at)
        marks = [mark._replace(start=starts[mark.start], end=starts[mark.end]) for mark in self._marks]
        blocks = [block._replace(start=starts[block.start], end=starts[block.end]) for block in self._blocks]
        return Marked("".join(self._pieces), marks, blocks)

    # Blocks.

    def lines(self, lines: list[str], blocks: bool) -> None:
        """Read all lines of a text."""
        at, fences = 0, blocks
        while at < len(lines) and self._left > 0:
            line = lines[at]
            if fences and line.lstrip().startswith(_FENCE) and line.count(_FENCE) == 1:
                end = next((end for end in range(at + 1, len(lines)) if lines[end].rstrip().endswith(_FENCE)), 0)
                fences = bool(end)  # where no fence closes this one, none closes a later one
                if end and self._code(lines[at : end + 1]):
                    at = end + 1
                    continue
            item = _ITEM.match(line) if blocks else None
            if item:
                self._item(item, line)
            elif blocks and (line.startswith("> ") or line == ">"):
                self._add(Kind.QUOTE, line[2:])
            else:
                self._add(Kind.TEXT, line)
            at += 1
        if at < len(lines):
            self._add(Kind.TEXT, "\n".join(lines[at:]))

    def _code(self, lines: list[str]) -> bool:
        """Read lines from one fence to the next; return whether there is any code between them."""
        first = lines[0].lstrip()[len(_FENCE) :].strip()
        last = lines[-1].rstrip()[: -len(_FENCE)]
        code = [*lines[1:-1], *([last] if last.strip() else [])]
        language = first if code and _LANGUAGE.fullmatch(first) else ""
        if first and not language:
            code.insert(0, first)
        if not code:
            return False
        start = self._begin()
        self._pieces.append("\n".join(code))
        self._blocks.append(Block(start, len(self._pieces), Kind.CODE, language=language.lower()))
        return True

    def _item(self, item: re.Match[str], line: str) -> None:
        start = self._begin()
        indent, sign = item.groups()
        self._pieces.append(f"{indent}{'•' if sign in '-*' else sign} ")
        hang = len(self._pieces[-1])
        self._read(line[item.end() :])
        self._blocks.append(Block(start, len(self._pieces), Kind.ITEM, hang))

    def _add(self, kind: Kind, line: str) -> None:
        """Read a line of text or quote; lines of one kind are one block."""
        start = self._begin()
        self._read(line)
        if self._blocks and self._blocks[-1].kind is kind:
            start = self._blocks.pop().start
        self._blocks.append(Block(start, len(self._pieces), kind))

    def _read(self, line: str) -> None:
        """Read what of a line is text, as far as there is something left to look at."""
        self._left -= 1 + _Line(line, self._pieces, self._marks).read(self._left)

    def _begin(self) -> int:
        """Begin a line; return its first piece."""
        if self._blocks:
            self._pieces.append("\n")
        return len(self._pieces)


class _Opener(NamedTuple):
    sign: str
    piece: int
    words: int
    """How many words came before it: emphasis without any is none."""


class _Line:
    """Reads one line. What may be markup is a piece of its own, and is emptied once it turns out to be some."""

    def __init__(self, line: str, pieces: list[str], marks: list[Mark]) -> None:
        self._line = line
        self._pieces = pieces
        self._marks = marks
        self._openers: list[_Opener] = []
        self._open: dict[str, int] = {}
        """How many openers there are of each sign: what closes none costs nothing."""
        self._words = 0
        self._ticks: dict[int, list[int]] | None = None
        """Where runs of backticks start, by their length."""

    def read(self, most: int) -> int:
        """Add the line's pieces and marks; return what was looked at, `most` of it at most."""
        position = looked = 0
        while looked < most and (token := _TOKEN.search(self._line, position)):
            looked += 1
            self._say(self._line[position : token.start()])
            match token[0][0]:
                case "*" | "_":
                    position = self._emphasis(token)
                case "`":
                    position = self._code(token)
                case "[":
                    position = self._link(token)
                case "@":
                    position = self._word(token, Look.NAME)
                case "#":
                    position = self._word(token, Look.ROOM)
                case _:
                    position = self._address(token)
        self._say(self._line[position:])
        return looked

    def _say(self, piece: str, look: Look | None = None, target: str = "") -> None:
        if piece:
            self._words += any(map(str.isalnum, piece))
            if look is not None:
                self._marks.append(Mark(len(self._pieces), len(self._pieces) + 1, look, target))
            self._pieces.append(piece)

    def _emphasis(self, token: re.Match[str]) -> int:
        run = token[0]
        signs = [run] if len(run) < 3 else [run[:2], run[2:]] if len(run) == 3 else []
        closes = self._may_close(token.start(), token.end()) and any(self._open.get(sign) for sign in signs)
        if closes:
            for sign in reversed(signs):
                self._close(sign)
        elif signs and self._may_open(token.start(), token.end()):
            for sign in signs:
                self._openers.append(_Opener(sign, len(self._pieces), self._words))
                self._open[sign] = self._open.get(sign, 0) + 1
                self._pieces.append(sign)
        else:
            self._pieces.append(run)
        return token.end()

    def _may_open(self, start: int, end: int) -> bool:
        before, after = self._line[start - 1 : start] if start else "", self._line[end : end + 1]
        return not (_is_letter(before) or before in ("/", "\\")) and (
            after.isalnum() or (after > "\x7f" and not after.isspace()) or (after != "" and after in _STARTS)
        )

    def _may_close(self, start: int, end: int) -> bool:
        before, after = self._line[start - 1 : start] if start else "", self._line[end : end + 1]
        return not _is_letter(after) and (
            before.isalnum() or (before > "\x7f" and not before.isspace()) or (before != "" and before in _ENDS)
        )

    def _close(self, sign: str) -> None:
        """Emphasise all since the last opener of this sign, if there is one and a word since; openers after it fall."""
        while self._open.get(sign):
            opener = self._openers.pop()
            self._open[opener.sign] -= 1
            if opener.sign == sign:
                if opener.words < self._words:
                    self._pieces[opener.piece] = ""
                    look = Look.BOLD if len(sign) == 2 else Look.ITALIC
                    self._marks.append(Mark(opener.piece, len(self._pieces), look))
                    return
                break
        self._pieces.append(sign)

    def _code(self, token: re.Match[str]) -> int:
        if self._ticks is None:
            self._ticks = {}
            for run in re.finditer("`+", self._line):
                self._ticks.setdefault(len(run[0]), []).append(run.start())
        start, end = token.span()
        closing = self._ticks.get(end - start, [])
        at = bisect_left(closing, end)
        if at == len(closing):
            self._say(token[0])
            return end
        code = self._line[end : closing[at]]
        if code.startswith(" ") and code.endswith(" ") and not code.isspace():
            code = code[1:-1]
        self._say(code, Look.CODE)
        return closing[at] + end - start

    def _link(self, token: re.Match[str]) -> int:
        link = _LINK.match(self._line, token.start())
        where = _where(link[2]) if link else ""
        if link is None or not where or not _honest(link[1], link[2]):
            self._say("[")
            return token.end()
        self._say(link[1], Look.LINK, _target(link[2]))
        if link[1].strip() not in (link[2], where):
            self._say(f" ({where})", Look.WHERE, _target(link[2]))
        return link.end()

    def _address(self, token: re.Match[str]) -> int:
        url = _trimmed(token[0])
        if url.endswith("://"):
            self._say(url)
        else:
            self._say(url, Look.LINK, _target(url))
        return token.start() + len(url)

    def _word(self, token: re.Match[str], look: Look) -> int:
        word = token[0].rstrip(".-")
        self._say(word, look, word[1:])
        return token.start() + len(word)


def _is_letter(character: str) -> bool:
    """Whether a word goes on here: emphasis stands around words. Chinese and Japanese have no spaces between them."""
    return character.isalnum() and character < "\u2e80"


def _trimmed(url: str) -> str:
    """Return an address without the punctuation of the sentence around it."""
    unopened = {closing: url.count(closing) - url.count(opening) for opening, closing in ("()", "[]", "{}")}
    end = len(url)
    while end:
        last = url[end - 1]
        if unopened.get(last, 0) > 0:
            unopened[last] -= 1
        elif last not in ".,;:!?'*_":
            break
        end -= 1
    return url[:end]


def _target(url: str) -> str:
    """Return an address as a terminal takes it in a link: in printable ASCII."""
    return quote(url, safe="!#$%&'()*+,-./:;=?@[]_~")


def _where(url: str) -> str:
    """Return where an address leads, as people read it; empty where that can't be told for sure."""
    try:
        parts = urlsplit(url)
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    except ValueError:
        return ""
    if not re.fullmatch(r"[\w.-]+(?::\d+)?|\[[\da-fA-F:.]+\](?::\d+)?", host, re.ASCII):  # bob@host and worse
        return ""
    scheme = "" if parts.scheme == "https" else f"{parts.scheme}://"
    rest = url.split("://", 1)[1][len(parts.netloc) :]
    if len(rest) > _LONG:
        rest = rest[: _LONG - 1] + "…"
    return f"{scheme}{host}{rest if rest != '/' else ''}"


def _honest(label: str, url: str) -> bool:
    """Whether a link's own words don't name another place than it leads to."""
    if not _LIKE_AN_ADDRESS.match(label.strip()):
        return True
    host = urlsplit(url).netloc.lower()
    said = label.strip().lower().split("://")[-1]
    return re.match(r"[^/?#]*", said)[0] == host  # type: ignore[index]
