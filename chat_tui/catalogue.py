"""The one table of what can be typed after a slash. Help, palette and completion are made from it."""

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from server.protocol.frames import RoleName  # only named here: not loaded before the first paint


class Kind(Enum):
    """What an argument is: how it ends, how it is checked, what completes it. The last one is all the rest."""

    WORD = auto()
    TEXT = auto()
    """All the rest, over all lines."""
    ROOM = auto()
    """A room by its handle or title, with # or without."""
    PERSON = auto()
    PEOPLE = auto()
    """Names with commas between them."""
    PLACE = auto()
    """A room or a person."""
    EMOJI = auto()
    SECRET = auto()
    """Asked for unseen: what is typed here is not taken, only that something was."""
    CHOICE = auto()
    """One of `Arg.choices`; where it is not needed, another word is left to the argument after it."""
    TIME = auto()
    """How long, `10m`; as the acts take it: in seconds. `Arg.choices` are some of them; else as above. Where it is
    needed, a number alone is seconds, and `off` is none; else `forever` is as good as none."""


class Arg(NamedTuple):
    """Something that follows a command."""

    hint: str
    """For people."""
    kind: Kind = Kind.TEXT
    needed: bool = True
    choices: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The hint; in brackets where it may be left out."""
        return self.hint if self.needed else f"[{self.hint}]"


class Command(NamedTuple):
    """A slash command."""

    name: str
    """Without the slash; the method that does it is called so after `command_`."""
    args: tuple[Arg, ...]
    help: str
    short: str
    """`help` where there is little room: at most 24 cells."""
    group: str
    """Its place in the help."""
    same: str = ""
    """The action that does the same: the palette has that one."""
    also: tuple[str, ...] = ()
    """Other names for it."""
    least: "RoleName" = "guest"
    """The role it takes in the room that is shown: it is offered to nobody else, and the server refuses it."""
    server: bool = False
    """It is done to the server: what counts is the role there."""

    @property
    def usage(self) -> str:
        """How it is typed: `/make name [private] [topic]`."""
        return " ".join([f"/{self.name}", *(arg.shown for arg in self.args if arg.kind is not Kind.SECRET)])


_ROOMS = "Rooms"
_PEOPLE = "People"
_MESSAGES = "Messages"
_READING = "Reading"
_MODERATING = "Moderating"
_PRIVACY = "Privacy"
_ACCOUNT = "Account"
_PROGRAM = "Program"

_ROOM_HERE = Arg("room", Kind.ROOM, needed=False)
_WHO = Arg("name", Kind.PERSON)
_UNSEEN = Arg("", Kind.SECRET, needed=False)
_TIME = Arg("time", Kind.TIME, False, ("10m", "1h", "1d", "7d", "forever"))
_REASON = Arg("reason", needed=False)

COMMANDS = (
    Command("join", (Arg("room", Kind.ROOM),), "enter a room, or take an invitation", "enter a room", _ROOMS),
    Command(
        "make",
        (Arg("name", Kind.WORD), Arg("private", Kind.CHOICE, False, ("private",)), Arg("topic", needed=False)),
        "make a room",
        "make a room",
        _ROOMS,
    ),
    Command("leave", (_ROOM_HERE,), "leave a room, or decline an invitation", "leave a room", _ROOMS),
    Command("rooms", (), "all public rooms", "all public rooms", _ROOMS, "rooms.list", ("list",)),
    Command(
        "go", (Arg("room or name", Kind.PLACE),), "go to a room or a person", "go to a room", _ROOMS, "", ("room",)
    ),
    Command("topic", (Arg("text", needed=False),), "what the room is about; say or change it", "the topic", _ROOMS),
    Command("rename", (Arg("title"),), "give the room another title", "another title", _ROOMS, least="admin"),
    Command(
        "archive", (), "close the room: it can be read, nothing more is said", "close the room", _ROOMS, least="admin"
    ),
    Command("unarchive", (), "open the room again", "open the room again", _ROOMS, least="admin"),
    Command("invite", (_WHO, _ROOM_HERE), "invite somebody to the room", "invite somebody", _ROOMS),
    Command("uninvite", (_WHO, _ROOM_HERE), "take an invitation back", "take it back", _ROOMS),
    Command("favourite", (), "keep the room at the top, or no more", "keep it at the top", _ROOMS, "", ("favorite",)),
    Command("mute", (), "count nothing of the room, or do again", "count nothing of it", _ROOMS),
    Command(
        "notify",
        (Arg("all|mentions|none", Kind.CHOICE, choices=("all", "mentions", "none")),),
        "what of the room you are told",
        "what you are told",
        _ROOMS,
    ),
    Command(
        "msg",
        (Arg("name, name", Kind.PEOPLE), Arg("text", needed=False)),
        "write to one person or a few alone",
        "write to someone alone",
        _PEOPLE,
        "",
        ("dm", "query"),
    ),
    Command("who", (), "who is here", "who is here", _PEOPLE),
    Command("whois", (_WHO,), "who somebody is", "who somebody is", _PEOPLE),
    Command("away", (Arg("why", needed=False),), "be away", "be away", _PEOPLE),
    Command("back", (), "be here again", "be here again", _PEOPLE),
    Command("nick", (Arg("new name", Kind.WORD),), "take another name", "take another name", _PEOPLE),
    Command("say", (Arg("text"),), "send it as it stands, even exit or /help", "send it as it stands", _MESSAGES),
    Command("me", (Arg("what you do"),), "say it as an action: * alice waves", "say it as an action", _MESSAGES),
    Command("reply", (Arg("text"),), "answer what was said last", "answer the last one", _MESSAGES),
    Command("edit", (Arg("new text", needed=False),), "change what you said last", "change your last one", _MESSAGES),
    Command("delete", (), "delete what you said last", "delete your last one", _MESSAGES),
    Command("react", (Arg("emoji", Kind.EMOJI),), "react to what was said last", "react to the last one", _MESSAGES),
    Command("thread", (), "open the thread of what was said last", "open its thread", _MESSAGES),
    Command("pin", (), "pin what was said last, or take it off", "pin the last one", _MESSAGES),
    Command("pins", (), "what is pinned here", "what is pinned here", _MESSAGES),
    Command("link", (), "copy a link to what was said last", "copy a link to it", _MESSAGES),
    Command("search", (Arg("words", needed=False),), "search all rooms", "search all rooms", _READING, "log.search"),
    Command("goto", (Arg("day or link"),), "read what was said then, or there", "to a day or a link", _READING),
    Command("catchup", (), "all that is unread", "all that is unread", _READING, "rooms.catch_up"),
    Command("read", (_ROOM_HERE,), "mark the room as read", "mark it as read", _READING),
    Command("unread", (), "mark what was said last as unread", "mark it as unread", _READING),
    Command("clear", (), "empty the view; PgUp brings it back", "empty the view", _READING),
    Command(
        "kick",
        (_WHO, _REASON),
        "put somebody out; they may come back",
        "put somebody out",
        _MODERATING,
        least="moderator",
    ),
    Command(
        "ban",
        (Arg("name or address/24", Kind.PERSON), _TIME, _REASON),
        "put somebody out, and keep them out",
        "keep somebody out",
        _MODERATING,
        least="moderator",
    ),
    Command(
        "unban",
        (Arg("name or address/24", Kind.PERSON),),
        "let somebody in again",
        "let somebody in again",
        _MODERATING,
        least="moderator",
    ),
    Command(
        "silence",
        (_WHO, _TIME, _REASON),
        "let somebody only read",
        "let somebody only read",
        _MODERATING,
        least="moderator",
    ),
    Command("unsilence", (_WHO,), "let somebody speak again", "let them speak again", _MODERATING, least="moderator"),
    Command("bans", (), "who is kept out or silenced here", "who is kept out", _MODERATING, least="moderator"),
    Command(
        "role",
        (_WHO, Arg("role", Kind.CHOICE, False, ("member", "moderator", "admin", "owner"))),
        "give somebody another role",
        "another role",
        _MODERATING,
        least="admin",
    ),
    Command(
        "slow",
        (Arg("time|off", Kind.TIME, choices=("off", "10s", "30s", "1m", "5m")),),
        "one message each in so much time",
        "slow mode",
        _MODERATING,
        least="moderator",
    ),
    Command(
        "readonly",
        (Arg("on|off", Kind.CHOICE, False, ("on", "off")),),
        "only moderators write here, or everyone again",
        "only moderators write",
        _MODERATING,
        least="moderator",
    ),
    Command(
        "keep",
        (Arg("30 days|1000 messages|off", needed=False),),
        "how long messages are kept; say or change it",
        "how long to keep",
        _MODERATING,
        least="owner",
    ),
    Command("reports", (), "what people reported", "what was reported", _MODERATING, least="moderator", server=True),
    Command("audit", (), "what moderators did", "what moderators did", _MODERATING, least="admin"),
    Command("accounts", (), "who has an account", "who has an account", _MODERATING, least="moderator", server=True),
    Command("server", (), "who may come in", "who may come in", _MODERATING, least="admin", server=True),
    Command("ticket", (), "invite somebody to sign up", "invite to sign up", _MODERATING, least="admin", server=True),
    Command("block", (_WHO,), "hide somebody from yourself", "hide somebody", _PRIVACY),
    Command("unblock", (_WHO,), "show somebody again", "show somebody again", _PRIVACY),
    Command("blocked", (), "whom you have blocked", "whom you blocked", _PRIVACY),
    Command("report", (_REASON,), "show what was said last to the moderators", "report the last one", _PRIVACY),
    Command("export", (Arg("file", needed=False),), "save all the server has of you", "save what is yours", _PRIVACY),
    Command("erase", (), "erase yourself, and all you said", "erase yourself", _PRIVACY),
    Command("register", (_UNSEEN,), "get an account: your name stays yours", "get an account", _ACCOUNT),
    Command("login", (Arg("name", Kind.WORD, False),), "come in to your account", "come in to your account", _ACCOUNT),
    Command("logout", (), "log out of your account here", "log out here", _ACCOUNT),
    Command("password", (_UNSEEN,), "take another password", "another password", _ACCOUNT),
    Command("devices", (), "where you are logged in, and log out there", "where you are logged in", _ACCOUNT),
    Command("device", (), "come in as yourself on another device", "another device", _ACCOUNT),
    Command("claim", (_UNSEEN,), "own this server, by its code: asked for unseen", "own this server", _ACCOUNT),
    Command("key", (), "this server's key, and how others come in", "the server's key", _ACCOUNT),
    Command("help", (), "keys and commands", "keys and commands", _PROGRAM, "program.help"),
    Command("quit", (), "leave the program; exit alone does it, too", "leave the program", _PROGRAM, "program.quit"),
)

BY_NAME = {name: command for command in COMMANDS for name in (command.name, *command.also)}
