"""Answers to requests: done, or refused and why, in words for people."""

from typing import Final

from msgspec import UNSET, UnsetType

from server.chat.hub import Hub
from server.chat.world import Peer
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Error, Ok

WORDS: Final = {
    Code.TRY_AGAIN: "This can't be taken just now. Send it again with the same id, after those before it.",
    Code.ID_REUSED: "This id was used for another message. Count on.",
    Code.ID_ORDER: "An id must be higher than the one before. Count on.",
    Code.TOO_MANY_ROOMS: f"Nobody can be in more than {limits.ROOMS} rooms. Leave one first.",
    Code.NOT_A_MEMBER: "You are not in this room. Join it first.",
    Code.NO_SUCH_ROOM: "There is no such room. Join makes it.",
    Code.NO_SUCH_MESSAGE: "There is no such message here any more.",
    Code.NO_SUCH_PERSON: "Nobody is known by this name here.",
    Code.NOT_ALLOWED: "You may not do this here.",
    Code.ROOM_EXISTS: "A room has had this name. Pick another.",
    Code.ARCHIVED: "This room is archived: it can be read, and nothing is said there any more.",
    Code.TOO_MANY: f"No more of this here: a message takes {limits.EMOJI} different reactions, {limits.REACTIONS:,} in"
    f" all, and {limits.VERSIONS} edits.",
    Code.NO_SUCH_SESSION: "This session is not known here. Say hello without resume.",
}
"""What a refusal says where nothing better is known."""


class Answers:
    """Writes answers; they leave with the tick's delivery."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def line(self, peer: Peer, line: bytes) -> None:
        """Send a line to one connection."""
        peer.answer(line)
        self._hub.answered(peer)

    def deliver(self) -> None:
        """Let what was answered leave now: nothing else of this tick will."""
        self._hub.deliver()

    def ok(
        self,
        peer: Peer,
        ref: str | UnsetType,
        *,
        seq: int | UnsetType = UNSET,
        id: int | UnsetType = UNSET,
        room: str | UnsetType = UNSET,
    ) -> None:
        """Say that it is done, where that was asked for by `ref` or can't be seen otherwise by `id`."""
        if ref is not UNSET or id is not UNSET:
            self.line(peer, encode(Ok(ref=ref, seq=seq, id=id, room=room)))

    def refuse(
        self,
        peer: Peer,
        ref: str | UnsetType,
        refusal: ProtocolError | Code,
        *,
        room: str | UnsetType = UNSET,
        id: int | UnsetType = UNSET,
        wait_ms: int | None = None,
    ) -> None:
        """Say why not."""
        code = refusal if isinstance(refusal, Code) else refusal.code
        words = WORDS[refusal] if isinstance(refusal, Code) else refusal.message
        if isinstance(refusal, ProtocolError) and wait_ms is None:
            wait_ms = refusal.wait_ms
        known = self._hub.by_handle.get(room) if isinstance(room, str) else None
        if known is None or not (known.record.kind == "public" or (peer.person and known.id in peer.person.rooms)):
            room = UNSET  # only what is known to be safe, and no secret, is carried back
        wait = UNSET if wait_ms is None else wait_ms
        self.line(peer, encode(Error(ref=ref, code=code, message=words, room=room, id=id, wait_ms=wait)))


def refused(code: Code) -> ProtocolError:
    """Return a refusal in the words that stand for its code."""
    return ProtocolError(code, WORDS[code])
