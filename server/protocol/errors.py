"""What can go wrong on the wire: one exception, one table of stable codes."""

from enum import StrEnum


class Code(StrEnum):
    """The stable `code` of an `error` frame. What each means and what to do stands in docs/protocol.md."""

    # The line could not be read.
    TOO_LONG = "too_long"
    BAD_FRAME = "bad_frame"
    UNKNOWN_TYPE = "unknown_type"
    # The request makes no sense now.
    HELLO_FIRST = "hello_first"
    HELLO_TWICE = "hello_twice"
    # Who may enter.
    TLS_REQUIRED = "tls_required"
    LOGIN_NEEDED = "login_needed"
    LOGIN_FAILED = "login_failed"
    NO_GUESTS = "no_guests"
    NO_SIGN_UP = "no_sign_up"
    BAD_CODE = "bad_code"
    BAD_PASSWORD = "bad_password"  # noqa: S105 - a code, no password
    HAS_ACCOUNT = "has_account"
    NO_ACCOUNT = "no_account"
    SSO_REFUSED = "sso_refused"
    SSO_EXPIRED = "sso_expired"
    SSO_UNAVAILABLE = "sso_unavailable"
    # What moderators have done.
    KEPT_OUT = "kept_out"
    """Of a room; of the server it is BANNED."""
    SILENCED = "silenced"
    SLOW_MODE = "slow_mode"
    READ_ONLY = "read_only"
    # Names, rooms, texts.
    BAD_NAME = "bad_name"
    NAME_TAKEN = "name_taken"
    BAD_ROOM = "bad_room"
    NO_SUCH_ROOM = "no_such_room"
    TOO_MANY_ROOMS = "too_many_rooms"
    NOT_A_MEMBER = "not_a_member"
    BAD_TEXT = "bad_text"
    # What one wants to act on.
    NO_SUCH_MESSAGE = "no_such_message"
    NO_SUCH_PERSON = "no_such_person"
    NOT_ALLOWED = "not_allowed"
    ROOM_EXISTS = "room_exists"
    ARCHIVED = "archived"
    TOO_MANY = "too_many"
    BAD_QUERY = "bad_query"
    # The order of a session's messages.
    ID_REUSED = "id_reused"
    ID_ORDER = "id_order"
    TRY_AGAIN = "try_again"
    # Limits.
    RATE_LIMITED = "rate_limited"
    # Coming back.
    NO_SUCH_SESSION = "no_such_session"
    DIVERGED = "diverged"
    # The connection ends after these.
    HELLO_TIMEOUT = "hello_timeout"
    ABUSE = "abuse"
    REPLACED = "replaced"
    STALLED = "stalled"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    KICKED = "kicked"
    BANNED = "banned"
    SESSION_ENDED = "session_ended"
    ERASED = "erased"


FINAL = frozenset(
    {
        Code.HELLO_TIMEOUT, Code.ABUSE, Code.REPLACED, Code.STALLED, Code.TOO_MANY_CONNECTIONS,
        Code.KICKED, Code.BANNED, Code.SESSION_ENDED, Code.ERASED,
    }
)  # fmt: skip
"""The connection is closed after an error with one of these codes."""


class ProtocolError(Exception):
    """A peer broke a rule of the wire. Raised by every function of `server.protocol` that takes a peer's bytes.

    Args:
        code: what rule, for programs.
        message: what happened and what to do, for people; it never repeats untrusted text.
        ref: the request's `ref`, where it could be read.
        wait_ms: milliseconds until the same may be said again, where time is all it takes.
        until: when the ban or silence ends that is the reason, RFC 3339; empty where there is none, or no end.
    """

    def __init__(
        self, code: Code, message: str, ref: str | None = None, wait_ms: int | None = None, until: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.ref = ref
        self.wait_ms = wait_ms
        self.until = until
