"""What is said in the pictures: friends get ready for a Saturday on which things are repaired."""

from typing import NamedTuple


class Said(NamedTuple):
    """A message."""

    when: str
    who: str
    text: str
    room: str = "general"
    """Where: a room's handle, or `@` and the name of whom it is for alone."""
    key: str = ""
    """What later events call it; empty where none does."""
    reply: str = ""
    """The key of what it answers; empty for nothing."""
    me: bool = False


class Done(NamedTuple):
    """Something is done with a message."""

    when: str
    who: str
    what: str
    """`edit`, `delete`, `react` or `pin`."""
    key: str
    argument: str = ""
    """The new text, or the emoji."""


class CameIn(NamedTuple):
    """People connect."""

    when: str
    names: tuple[str, ...]


class Left(NamedTuple):
    """Someone leaves for good."""

    when: str
    who: str
    reason: str


class Made(NamedTuple):
    """Someone makes a room, and others enter it; those whom it is hidden from are invited first."""

    when: str
    who: str
    room: str
    topic: str
    others: tuple[str, ...] = ()
    private: bool = False


class Topic(NamedTuple):
    """Someone says what a room is about."""

    when: str
    who: str
    room: str
    topic: str


class Invited(NamedTuple):
    """Someone asks another into a room, and has no answer yet."""

    when: str
    who: str
    room: str
    whom: str


class Away(NamedTuple):
    """Someone is away."""

    when: str
    who: str
    text: str


class Writing(NamedTuple):
    """Someone is writing."""

    when: str
    who: str
    room: str = "general"


class Typed(NamedTuple):
    """Something is typed in the terminal that leads to a room."""

    when: str
    text: str
    room: str


Event = Said | Done | CameIn | Left | Made | Topic | Invited | Away | Writing | Typed

ME = "alice"
"""Whose screen is shown. What she says is typed into her terminal."""

FRIDAY: tuple[Event, ...] = (
    CameIn("2026-11-20 17:40", ("bob", "carol", "dave", "mei")),
    Made("2026-11-20 17:41", "carol", "dev", "the page, the printer, all that blinks", ("bob", "mei")),
    Made("2026-11-20 17:42", "mei", "kitchen", "soup, bread, coffee", ("bob", "dave")),
    Made("2026-11-20 17:43", "bob", "tools", "who has what", ("carol", "dave")),
    Made("2026-11-20 17:44", "mei", "birthday", "sssh: dave turns forty", ("bob", "carol"), private=True),
    Topic("2026-11-20 17:45", "carol", "general", "repair day: doors open at two"),
    Said("2026-11-20 17:50", "carol", "the page takes names for tomorrow now, try to break it", "dev"),
    Said("2026-11-20 17:52", "mei", "it took `Robert'); DROP TABLE` as a name and said welcome", "dev"),
    Said("2026-11-20 17:53", "carol", "as it should. He has a toaster, too", "dev"),
    Said("2026-11-20 18:02", "bob", "soup at mine tomorrow, before we open?", key="soup"),
    Said("2026-11-20 18:02", "bob", "lentil or pumpkin, whoever answers first decides"),
    Said("2026-11-20 18:04", "mei", "pumpkin! 🎃 I bring bread", reply="soup"),
    Done("2026-11-20 18:05", "carol", "react", "soup", "heart"),
    Said("2026-11-20 18:07", "carol", "count me in. The projector works again, by the way: it was only the fuse"),
    Said("2026-11-20 18:31", "dave", "waves from the train", me=True),
    Left("2026-11-20 19:00", "dave", "quit"),
    Left("2026-11-20 19:00", "carol", "quit"),
)
"""Before Alice is there: she gets it as history."""

SATURDAY: tuple[Event, ...] = (
    CameIn("2026-11-21 09:10", ("carol",)),
    Typed("2026-11-21 09:11", "/join kitchen", "kitchen"),
    Typed("2026-11-21 09:11", "/join dev", "dev"),
    Typed("2026-11-21 09:12", "/go general", "general"),
    Said(
        "2026-11-21 09:14",
        "carol",
        "good morning! The page for today is up: https://repair.example.org/saturday",
        key="page",
    ),
    Said("2026-11-21 09:14", "carol", "23 people so far, four of them with a toaster", key="toasters"),
    Said("2026-11-21 09:15", "bob", "it is **always** toasters"),
    Done("2026-11-21 09:15", ME, "react", "toasters", "joy"),
    Done("2026-11-21 09:15", "mei", "react", "toasters", "joy"),
    Done("2026-11-21 09:15", "bob", "react", "toasters", "bread"),
    Done("2026-11-21 09:15", "carol", "pin", "page"),
    Said("2026-11-21 09:16", ME, "I can take two of them. Has anyone seen the screwdrivers?", key="tools"),
    Done("2026-11-21 09:16", ME, "edit", "tools", "I can take two of them. Has anyone seen the long screwdrivers?"),
    Said("2026-11-21 09:17", "bob", "blue box, under the stairs", reply="tools", key="box"),
    Done("2026-11-21 09:18", ME, "react", "box", "pray"),
    Said("2026-11-21 09:20", "mei", "the label printer does not answer, can someone have a look?", key="printer"),
    Said(
        "2026-11-21 09:23",
        "carol",
        "it went to sleep. This woke it up last time:\n```sh\nlpstat -p labels   # disabled\ncupsenable labels\n```",
        key="cups",
        reply="printer",
    ),
    Said("2026-11-21 09:24", "mei", "it prints! ありがとう", reply="cups", key="prints"),
    Done("2026-11-21 09:24", "carol", "react", "prints", "tada"),
    Done("2026-11-21 09:24", "bob", "react", "prints", "tada"),
    CameIn("2026-11-21 09:30", ("dave",)),
    Typed("2026-11-21 09:31", "/go dev", "dev"),
    Said("2026-11-21 09:31", "dave", "my train was early, for once. What did I miss?"),
    Said("2026-11-21 09:32", "dave", "door code is 4711", key="code"),
    Done("2026-11-21 09:32", "dave", "delete", "code"),
    Said(
        "2026-11-21 09:33",
        "bob",
        "**the plan**, so that nobody has to ask:\n- 12:00 soup\n- 13:30 tables, lamps, name tags\n- 14:00 doors open",
        key="plan",
    ),
    Done("2026-11-21 09:34", "carol", "react", "plan", "thumbsup"),
    Said("2026-11-21 09:34", "dave", "puts the kettle on", me=True),
    Said("2026-11-21 09:38", "mei", "@alice could you bring the list of spare parts?", key="parts"),
    Typed("2026-11-21 09:39", "/go general", "general"),
    Said("2026-11-21 09:40", "mei", "who brings the big pot?", "kitchen"),
    Said("2026-11-21 09:40", "dave", "I do, and there are two loaves left from yesterday", "kitchen"),
    Said("2026-11-21 09:41", "mei", "then we need butter: the printer of receipts says no more than 10", "kitchen"),
    Said("2026-11-21 09:41", "carol", "labels come out two at a time now. Paper: https://paper.example.org", "dev"),
    Said("2026-11-21 09:42", "carol", "@alice is the printer still on your desk lamp's plug?", "dev"),
    Said("2026-11-21 09:42", "bob", "can you keep a secret?", "@alice"),
    Said("2026-11-21 09:42", "bob", "look into your invitations", "@alice"),
    Invited("2026-11-21 09:42", "mei", "birthday", ME),
    Away("2026-11-21 09:43", "carol", "fetching paper"),
    Said("2026-11-21 09:43", "dave", "the back door is open, just come in"),
    Writing("2026-11-21 09:43", "mei"),
)
"""While Alice is there."""

DRAFT = "yes, and the good soldering iron"
"""What Alice is about to say."""

UNSURE = "The list is in the red folder, I am on my way."
"""What Alice says when the server is gone."""
