"""What is said in the pictures: friends get ready for a Saturday on which things are repaired."""

from typing import NamedTuple


class Said(NamedTuple):
    """A message."""

    when: str
    who: str
    text: str
    me: bool = False


class CameIn(NamedTuple):
    """People connect."""

    when: str
    names: tuple[str, ...]


class Left(NamedTuple):
    """Someone leaves for good."""

    when: str
    who: str
    reason: str


Event = Said | CameIn | Left

ME = "alice"
"""Whose screen is shown. What she says is typed into her terminal."""

FRIDAY: tuple[Event, ...] = (
    CameIn("2026-11-20 18:00", ("bob", "carol", "dave", "mei")),
    Said("2026-11-20 18:02", "bob", "soup at mine tomorrow, before we open?"),
    Said("2026-11-20 18:02", "bob", "lentil or pumpkin, whoever answers first decides"),
    Said("2026-11-20 18:04", "mei", "pumpkin! 🎃 I bring bread"),
    Said("2026-11-20 18:07", "carol", "count me in. The projector works again, by the way: it was only the fuse"),
    Said("2026-11-20 18:31", "dave", "waves from the train", me=True),
    Left("2026-11-20 19:00", "dave", "quit"),
    Left("2026-11-20 19:00", "carol", "quit"),
)
"""Before Alice is there: she gets it as history."""

SATURDAY: tuple[Event, ...] = (
    CameIn("2026-11-21 09:11", ("carol",)),
    Said("2026-11-21 09:14", "carol", "good morning! The page for today is up: https://repair.example.org/saturday"),
    Said("2026-11-21 09:14", "carol", "23 people so far, four of them with a toaster"),
    Said("2026-11-21 09:15", "bob", "it is always toasters"),
    Said("2026-11-21 09:16", ME, "I can take two of them. Has anyone seen the long screwdrivers?"),
    Said("2026-11-21 09:17", "bob", "@alice blue box, under the stairs"),
    Said("2026-11-21 09:20", "mei", "the label printer does not answer, can someone have a look?"),
    Said(
        "2026-11-21 09:23",
        "carol",
        "`lpstat -p labels` says disabled. Try `cupsenable labels`, that woke it up last time",
    ),
    Said("2026-11-21 09:24", "mei", "it prints! ありがとう"),
    CameIn("2026-11-21 09:31", ("dave",)),
    Said("2026-11-21 09:31", "dave", "my train was early, for once. What did I miss?"),
    Said(
        "2026-11-21 09:33",
        "bob",
        "the plan, so that nobody has to ask:\n12:00  soup\n13:30  tables, lamps, name tags\n14:00  doors open",
    ),
    Said("2026-11-21 09:34", "dave", "puts the kettle on", me=True),
    Left("2026-11-21 09:36", "bob", "off to buy pumpkins"),
    Said("2026-11-21 09:38", "mei", "alice, could you bring the list of spare parts?"),
    Said("2026-11-21 09:39", "dave", "the back door is open, just come in"),
)
"""While Alice is there."""

DRAFT = "yes, and the good soldering iron"
"""What Alice is about to say."""

UNSURE = "The list is in the red folder, I am on my way."
"""What Alice says when the server is gone."""
