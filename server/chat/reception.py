"""How the server takes people: its settings, tickets to sign up with, who has an account, the code of its owner."""

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec import UNSET, UnsetType

from server.chat.answers import Answers, refusal_of
from server.chat.errands import committed
from server.chat.hub import Hub
from server.chat.ports import Archive, Log
from server.chat.reading import Read
from server.chat.secrets import hashed_code, new_code
from server.chat.world import Peer, Person
from server.protocol import frames
from server.protocol.codec import encode
from server.protocol.errors import ProtocolError
from server.record.entries import Draft, Ticketing
from server.record.events import FOREVER, SERVER, Kind, SettingsBody, time_text
from server.record.register import Settings, set_up
from server.record.rights import Act

Check = Callable[[Peer, Any, int, Act, Read], None]
"""See `Moderation.check`."""

log = logging.getLogger("chat")

HOUR: Final = 3600 * 1000
"""Milliseconds."""


class Reception:
    """Answers whoever looks after the people here."""

    def __init__(
        self,
        journal: Log,
        archive: Archive,
        hub: Hub,
        people: dict[int, Person],
        answers: Answers,
        settings: Settings,
        check: Check,
    ) -> None:
        self._log = journal
        self._archive = archive
        self._hub = hub
        self._people = people
        self._answers = answers
        self._settings = settings
        self._check = check

    # Settings.

    def settings(self, peer: Peer, frame: frames.SettingsRequest) -> None:
        """Change how the server takes people, or only say it."""
        if frame.guests is UNSET and frame.sign_up is UNSET:
            self._tell_settings(peer, frame.ref)
            self._answers.deliver()
            return
        person = peer.here
        person.rate.check()
        peer.open += 1
        self._log.append(
            Draft(
                peer=peer,
                kind=Kind.SETTINGS,
                room=self._hub.general.id,
                user=person.user,
                session=peer.session,
                about=SettingsBody(person.name, frame.guests, frame.sign_up),
                then=partial(self._set, peer, frame),
            )
        )

    def _set(self, peer: Peer, frame: frames.SettingsRequest, draft: Draft) -> None:
        peer.open -= 1
        if draft.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(draft))
        else:
            self._tell_settings(peer, frame.ref)

    def was_set(self, draft: Draft) -> None:
        """The server takes people otherwise: the event is committed."""
        set_up(self._settings, draft.about)

    def _tell_settings(self, peer: Peer, ref: str | UnsetType) -> None:
        told = frames.Settings(ref=ref, guests=self._settings.guests, sign_up=self._settings.sign_up)
        self._answers.line(peer, encode(told))

    # Tickets.

    def ticket(self, peer: Peer, frame: frames.TicketRequest) -> None:
        """Make a ticket, or take one back."""
        person = peer.here
        person.rate.check()
        code = new_code()
        until = FOREVER if frame.owner else _now() + frame.hours * HOUR
        peer.open += 1
        self._log.append(
            Ticketing(
                peer=peer,
                hashed=hashed_code(code),
                uses=1 if frame.owner else frame.uses,
                until=until,
                by=person.user,
                owner=frame.owner,
                id=frame.id,
                then=partial(self._ticket_made, peer, frame, code),
            )
        )

    def _ticket_made(self, peer: Peer, frame: frames.TicketRequest, code: str, ticketing: Ticketing) -> None:
        peer.open -= 1
        if ticketing.code is not None:
            self._answers.refuse(peer, frame.ref, refusal_of(ticketing))
            return
        until = "" if frame.owner else time_text(ticketing.until).decode()
        ticket = "" if frame.id else code
        made = frames.Ticket(ref=frame.ref, ticket=ticket, id=ticketing.id, until="" if frame.id else until)
        self._answers.line(peer, encode(made))

    def tickets(self, peer: Peer, frame: frames.TicketsRequest) -> None:
        """Say which tickets are good."""

        async def read() -> bytes:
            return encode(frames.Tickets(ref=frame.ref, tickets=await self._archive.tickets(_now())))

        self._check(peer, frame, self._hub.general.id, Act.GIVE_TICKETS, read)

    # Accounts.

    def accounts(self, peer: Peer, frame: frames.AccountsRequest) -> None:
        """Say who has an account."""

        async def read() -> bytes:
            found, more = await self._archive.accounts(frame.after)
            for info in found:
                if info.user in self._people:
                    info.seen = ""
            return encode(frames.Accounts(ref=frame.ref, accounts=found, more=more))

        self._check(peer, frame, self._hub.general.id, Act.SEE_ACCOUNTS, read)

    # The owner's code.

    async def owner_code(self) -> str:
        """Return a code by which the server's owner is made, where it has none and none is out; else nothing."""
        code = new_code()
        ticketing = Ticketing(hashed=hashed_code(code), uses=1, until=FOREVER, by=SERVER, owner=True)
        try:
            if await self._archive.owned():
                return ""
            await committed(self._log, ticketing)
        except (OSError, ProtocolError) as error:
            log.error("No code for an owner could be made: %s", error)
            return ""
        return code


def _now() -> int:
    return time.time_ns() // 1_000_000
