"""Runs one command of the host's shell, and prints what there is to tell."""

import argparse
import asyncio
import getpass
import json
import os
import sys
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from server.admin.acts import ACTS, Row, Told
from server.admin.door import ShellError, enter
from server.admin.words import parse
from server.archive.database import StoreError
from server.data import DataError
from server.protocol.text import clean_line

_TIMES: Final = frozenset({"time", "since", "seen", "used", "until"})
"""Fields that are RFC 3339, or a word."""

_NOTHING: Final = {"keep_days": "for good", "keep_count": "all", "slow": "off"}
"""What 0 stands for."""


def main(arguments: list[str]) -> None:
    """Do what was typed; exits with 0, with 1 where it was not done, with 2 for wrong words."""
    given = parse(arguments)
    os.umask(0o077)  # what is written is its user's alone
    try:
        _complete(given)
        told = asyncio.run(_run(given))
    except (ShellError, DataError, StoreError) as error:
        sys.exit(f"chat-server: {clean_line(str(error))}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.stderr.writelines(f"{clean_line(warning)}\n" for warning in told.warnings)
    sys.stdout.writelines(line + "\n" for line in (_json(told) if given.json else _text(told)))


def _complete(given: argparse.Namespace) -> None:
    """Ask for what is not to stand in the command, before anything is opened; ShellError where it does not come."""
    try:
        if given.act == "password":
            given.password = input() if given.stdin else getpass.getpass(f"New password of {given.name}: ")
            if not given.stdin and getpass.getpass("Once more: ") != given.password:
                raise ShellError("These two are not the same. Nothing was changed.")
        elif given.act == "erase" and not given.yes:
            sys.stderr.write(f"{given.name}, and all they said, is erased for good. Type the name to go on: ")
            sys.stderr.flush()
            if input() != given.name:
                raise ShellError("Nothing was erased.")
        elif (kept := _kept(given)) and not given.yes:
            sys.stderr.write(f"All messages but {kept} are erased for good, now and from now on. Type yes to go on: ")
            sys.stderr.flush()
            if input().strip().casefold() != "yes":
                raise ShellError("Nothing was changed.")
    except EOFError:
        raise ShellError("Nothing was typed, and nothing was changed.") from None


def _kept(given: argparse.Namespace) -> str:
    """Return what is kept by the rules that were typed: `those of the last 30 days in dev`; empty without a rule."""
    if given.command == "set":
        wanted, where = dict(given.values), "in all rooms without rules of their own"
        days, count = wanted.get("keep-days"), wanted.get("keep-count")
    elif (given.command, given.act) == ("room", "change"):
        days, count, where = given.keep_days, given.keep_count, f"in {given.room}"
    else:
        return ""
    rules = [f"those of the last {days} days"] * bool(days) + [f"the latest {count}"] * bool(count)
    return f"{' and of these '.join(rules)} {where}" if rules else ""


async def _run(given: argparse.Namespace) -> Told:
    async with enter(given.data) as door:
        return await ACTS[given.command, given.act](door, given)


def _json(told: Told) -> Iterable[str]:
    yield from (
        json.dumps(row) for row in [told.one, *told.rows] if row
    )  # plain ASCII: nothing in it acts on a terminal


def _text(told: Told) -> Iterable[str]:
    """Yield lines for people: one thing as names and values, a list as a table."""
    width = max(map(len, told.one), default=0)
    yield from (f"{_label(name):<{width}}  {_told(name, value)}".rstrip() for name, value in told.one.items())
    if told.rows:
        yield from _table([_undone(row) for row in told.rows])
    elif told.words:
        yield clean_line(told.words)


def _table(rows: list[Row]) -> Iterable[str]:
    cells = [[_label(name) for name in rows[0]], *([_told(*field) for field in row.items()] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()


def _label(name: str) -> str:
    return name.replace("_", "-")


def _undone(row: Row) -> Row:
    """Return a row that says in words what was taken back, instead of a field for that."""
    shown = {name: value for name, value in row.items() if name != "on"}
    return shown if row.get("on", True) else shown | {"what": f"{row['what']}: taken back"}


def _told(name: str, value: Any) -> str:  # noqa: ANN401 - what a field has
    """Return a field's value for a terminal: what people wrote can't act on it. Times are this machine's."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value == 0 and (name := name.replace("-", "_")) in _NOTHING:
        return _NOTHING[name]
    if name in _TIMES and value[:1].isdigit():
        return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M}"
    return clean_line(str(value)).replace("\n", " ")


def _width(text: str) -> int:
    """Return how many columns a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
