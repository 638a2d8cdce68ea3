"""Answers to requests: done, or refused and why, in words for people."""

from typing import Final

from msgspec import UNSET, UnsetType

from server.chat.hub import Hub
from server.chat.world import Peer
from server.protocol import limits
from server.protocol.codec import encode
from server.protocol.errors import Code, ProtocolError
from server.protocol.frames import Error, Ok
from server.record.entries import Entry

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
    f" all, and {limits.VERSIONS} edits; an account {limits.NAMES} names; a server {limits.RANGES:,} address ranges.",
    Code.NO_SUCH_SESSION: "This session is not known here. Say hello without resume.",
    Code.TLS_REQUIRED: "This goes over TLS alone: connect with it.",
    Code.LOGIN_NEEDED: "This name is an account's, or looks like one's. Log in by its password, or pick another.",
    Code.LOGIN_FAILED: "No account has this name and this password.",
    Code.NO_GUESTS: "Only accounts come in here. Log in, or register.",
    Code.NO_SIGN_UP: "You can't make an account here by yourself. Ask whoever runs this server for a ticket.",
    Code.BAD_CODE: "This code is not good, or not any more. Ask for a new one.",
    Code.BAD_PASSWORD: f"A password has {limits.PASSWORD_LEAST} to {limits.SECRET_CHARS} characters, and is no name.",
    Code.HAS_ACCOUNT: "There is an account already.",
    Code.NO_ACCOUNT: "This takes an account. Register first.",
    Code.NAME_TAKEN: "Somebody has this name, or one that looks like it. Pick another.",
    Code.SSO_REFUSED: "The provider did not let you in.",
    Code.SSO_EXPIRED: "Nobody signed in in time. Begin again.",
    Code.SSO_UNAVAILABLE: "You can't sign in by a provider here just now.",
    Code.KEPT_OUT: "You are banned from this room.",
    Code.SILENCED: "You may only read here.",
    Code.SLOW_MODE: "This room is in slow mode: wait a little before you say more.",
    Code.READ_ONLY: "Only moderators say something here.",
    Code.KICKED: "You were put out of this server.",
    Code.BANNED: "You are banned from this server.",
    Code.SESSION_ENDED: "This session was ended.",
    Code.ERASED: "This account is erased, with all it said.",
    Code.RATE_LIMITED: "This came too fast. Wait a little.",
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
        until: str | UnsetType = UNSET
        if isinstance(refusal, ProtocolError):
            wait_ms = refusal.wait_ms if wait_ms is None else wait_ms
            until = refusal.until or UNSET
        known = self._hub.by_handle.get(room) if isinstance(room, str) else None
        if known is None or not (known.record.kind == "public" or (peer.person and known.id in peer.person.rooms)):
            room = UNSET  # only what is known to be safe, and no secret, is carried back
        wait = UNSET if wait_ms is None else wait_ms
        self.line(peer, encode(Error(ref=ref, code=code, message=words, room=room, id=id, wait_ms=wait, until=until)))


def refused(code: Code, why: str = "", wait_ms: int = 0, until: str = "") -> ProtocolError:
    """Return a refusal in the words that stand for its code, and what there is to say beside them."""
    return ProtocolError(code, f"{WORDS[code]} {why}".strip(), wait_ms=wait_ms or None, until=until)


def refusal_of(entry: Entry) -> ProtocolError:
    """Return why the log has refused an entry."""
    assert entry.code is not None, "only what was refused has a refusal"
    return refused(entry.code, entry.why, entry.wait_ms, entry.ends)
