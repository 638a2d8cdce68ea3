"""What may be typed: `chat-server user ban bob --minutes 60`."""

import argparse
from pathlib import Path
from typing import Any, Final

from server.config import default_data
from server.protocol import limits

ROLES: Final = ("guest", "member", "moderator", "admin", "owner")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return what was typed: `command` and `act` name the handler. Exits with 2 for wrong words."""
    parser = argparse.ArgumentParser(
        prog="chat-server",
        description="Manage a server from its host's shell, whether it runs or not.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, metavar="DIR", default=default_data(), help="the server's data directory")
    common.add_argument("--json", action="store_true", help="print JSON objects, one a line")
    _users(_group(commands, "user", "who has an account, roles, bans, devices, exports"), common)
    _rooms(_group(commands, "room", "rooms and their rules"), common)
    _invitations(_group(commands, "invite", "tickets to sign up with"), common)
    _ranges(_group(commands, "ban", "address ranges that are kept out"), common)
    settings = commands.add_parser("set", parents=[common], help="how the server takes people", allow_abbrev=False)
    words = "guests=on|off, sign-up=open|invite|closed, keep-days=N, keep-count=N; none: say how it is"
    settings.add_argument("values", nargs="*", metavar="NAME=VALUE", type=_setting, help=words)
    _without_asking(settings)
    audit = commands.add_parser("audit", parents=[common], help="what was done by who may", allow_abbrev=False)
    audit.add_argument("--room", default="", help="only there")
    audit.add_argument("--limit", type=_number(1, 100_000), default=limits.PAGE, help="how many (default: %(default)s)")
    reports = commands.add_parser("reports", parents=[common], help="messages people reported", allow_abbrev=False)
    reports.add_argument("--settle", type=_number(1, limits.SAFE_INTEGER), metavar="ID", help="this one is dealt with")
    commands.add_parser("owner", parents=[common], help="make a code by which somebody becomes owner")
    given = parser.parse_args(arguments)
    given.act = getattr(given, "act", "")
    return given


def _group(commands: Any, name: str, words: str) -> Any:  # noqa: ANN401 - argparse keeps these types to itself
    made = commands.add_parser(name, help=words, allow_abbrev=False)
    return made.add_subparsers(dest="act", required=True, metavar="ACT")


def _users(acts: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401
    def act(name: str, words: str, *, named: bool = True) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = acts.add_parser(name, parents=[common], help=words, allow_abbrev=False)
        if named:
            made.add_argument("name", metavar="NAME")
        return made

    act("list", "who has an account", named=False)
    act("show", "what is known of somebody")
    role = act("role", "give somebody another role")
    role.add_argument("role", choices=ROLES)
    _in_room(role)
    password = act("password", "give somebody another password; asks for it twice")
    password.add_argument("--stdin", action="store_true", help="read it from standard input instead")
    for name, words, lasts in (
        ("kick", "put somebody out", False),
        ("ban", "put somebody out, and keep them out", True),
        ("silence", "have somebody only read", True),
    ):
        made = act(name, words)
        _in_room(made)
        if lasts:
            _for_minutes(made)
        made.add_argument("--reason", default="", metavar="TEXT", help="what they are told")
    _in_room(act("unban", "let somebody in again"))
    _in_room(act("unsilence", "let somebody speak again"))
    act("devices", "somebody's sessions")
    act("end", "end all of somebody's sessions")
    export = act("export", "all that the server holds of somebody, as JSON lines")
    export.add_argument("file", nargs="?", type=Path, metavar="FILE", help="where to (default: standard output)")
    erase = act("erase", "erase somebody and all they said, for good; asks before")
    _without_asking(erase)


def _rooms(acts: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401
    acts.add_parser("list", parents=[common], help="all rooms", allow_abbrev=False)
    show = acts.add_parser("show", parents=[common], help="what is known of a room", allow_abbrev=False)
    show.add_argument("room", metavar="ROOM")
    change = acts.add_parser("change", parents=[common], help="change its words or rules", allow_abbrev=False)
    change.add_argument("room", metavar="ROOM")
    add = change.add_argument
    add("--title", metavar="TEXT")
    add("--topic", metavar="TEXT")
    add("--slow", type=_number(0, limits.SLOW), metavar="N", help="seconds between two messages of one person; 0: none")
    add("--read-only", choices=("on", "off"), help="only moderators say something")
    add("--archive", choices=("on", "off"), help="nobody says anything any more")
    add("--keep-days", type=_number(0, limits.KEEP_DAYS), metavar="N", help="older messages are erased; 0: kept")
    add("--keep-count", type=_number(0, limits.SAFE_INTEGER), metavar="N", help="all but so many are erased; 0: kept")
    _without_asking(change)


def _invitations(acts: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401
    new = acts.add_parser("new", parents=[common], help="make one, and print the line to join by", allow_abbrev=False)
    new.add_argument("--uses", type=_number(1, limits.TICKET_USES), default=1, metavar="N", help="how often it is good")
    new.add_argument("--hours", type=_number(1, limits.TICKET_HOURS), default=72, metavar="N", help="for how long")
    new.add_argument("--address", default="", metavar="HOST[:PORT]", help="where others reach this server")
    acts.add_parser("list", parents=[common], help="those that are good still", allow_abbrev=False)
    revoke = acts.add_parser("revoke", parents=[common], help="take one back", allow_abbrev=False)
    revoke.add_argument("id", type=_number(1, limits.SAFE_INTEGER), metavar="ID", help="as in the list")


def _ranges(acts: Any, common: argparse.ArgumentParser) -> None:  # noqa: ANN401
    add = acts.add_parser("add", parents=[common], help="keep addresses out", allow_abbrev=False)
    remove = acts.add_parser("remove", parents=[common], help="let them in again", allow_abbrev=False)
    for made in (add, remove):
        made.add_argument("ranges", nargs="+", metavar="RANGE", help="203.0.113.7 or 203.0.113.0/24")
    _for_minutes(add)
    add.add_argument("--reason", default="", metavar="TEXT")
    acts.add_parser("list", parents=[common], help="who and what is kept out of the server", allow_abbrev=False)


def _in_room(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--room", default="general", help="there alone (default: on the whole server)")


def _without_asking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask before something is erased")


def _for_minutes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--minutes", type=_number(0, limits.MINUTES), default=0, metavar="N", help="for how long (default: for good)"
    )


def _number(least: int, most: int) -> Any:  # noqa: ANN401
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"this is a number from {least} to {most}, not {text!r}")
        return int(text)

    return number


def _setting(text: str) -> tuple[str, Any]:
    """Return one setting's name and value."""
    name, _, value = text.partition("=")
    known: dict[str, dict[str, Any]] = {
        "guests": {"on": True, "off": False},
        "sign-up": {"open": "open", "invite": "invite", "closed": "closed"},
    }
    if name in known:
        if value not in known[name]:
            raise argparse.ArgumentTypeError(f"{name} is {_either([*known[name]])}, not {value!r}")
        return name, known[name][value]
    if name in ("keep-days", "keep-count"):
        most = limits.KEEP_DAYS if name == "keep-days" else limits.SAFE_INTEGER
        return name, _number(0, most)(value)
    settings = _either([*known, "keep-days", "keep-count"])
    raise argparse.ArgumentTypeError(f"a setting is {settings}, as in guests=off; {name!r} is none")


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
