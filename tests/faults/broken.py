"""`chat-server` with one fault planted into it, which a run must find.

python -m faults.broken FAULT [arguments of chat-server]
"""

import random
import sys
from typing import Any

import apsw

from server.chat.hub import Hub
from server.chat.world import Peer
from server.record.ordering import Numbering, Verdict


def doubles() -> None:
    """What is sent again is taken again."""
    judge = Numbering.judge

    def forgetful(self: Numbering, message_id: int) -> Verdict:
        verdict = judge(self, message_id)
        return Verdict.NEW if verdict is Verdict.REPEATED else verdict

    Numbering.judge = forgetful  # type: ignore[method-assign]


def early() -> None:
    """Most commits are put off until a later one, but told as done."""

    class Lazy(apsw.Connection):
        def execute(self, statements: str, *more: Any, **options: Any) -> apsw.Cursor:
            if (statements == "COMMIT" and random.random() < 0.9) or (
                statements == "BEGIN IMMEDIATE" and self.in_transaction
            ):
                statements = ""
            return super().execute(statements, *more, **options)

    apsw.Connection = Lazy  # type: ignore[misc]


def skips() -> None:
    """Who comes back is not shown the first of what they missed."""
    follow = Hub.follow

    def hasty(self: Hub, peer: Peer) -> None:
        peer.position = min(peer.position + 3, self.head)
        follow(self, peer)

    Hub.follow = hasty  # type: ignore[method-assign]


FAULTS = {"doubles": doubles, "early": early, "skips": skips}


if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    from server.cli import main

    main(sys.argv[2:])
