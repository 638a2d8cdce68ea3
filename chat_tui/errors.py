"""What can go wrong for a client. Every message is a sentence for people."""
# ruff: noqa: N818 - the names say what happened, as they read in `except Refused`


class ClientError(Exception):
    """Base of all that the client raises.

    Args:
        message: what happened, for people, without untrusted control characters.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unreachable(ClientError):
    """Nobody answers at the address."""


class NotAChatServer(ClientError):
    """Something answers at the address, but it does not speak this protocol."""


class Mistrusted(ClientError):
    """Who answers is not known to be the right server: nothing but the start of TLS was sent."""


class Untrusted(Mistrusted):
    """A first visit, and no authority vouches for the server: people compare its key, then `Client.trust` this.

    Args:
        host: where it answers.
        port: its port.
        digest: the SHA-256 of its public key.
        short: the same in the form that people compare.
    """

    def __init__(self, host: str, port: int, digest: bytes, short: str) -> None:
        super().__init__(
            f"You have not been at {host}:{port} before. Its key is {short}. Nothing secret was sent."
            " Compare the key with what its host sees, then come in."
        )
        self.host = host
        self.port = port
        self.digest = digest
        self.short = short


class KeyChanged(Mistrusted):
    """The server has another key than before.

    Args:
        address: host and port.
        known: the key that it had, in short.
        now: the key that answers, in short.
        invited: an invitation says that key.
    """

    def __init__(self, address: str, known: str, now: str, *, invited: bool = False) -> None:
        super().__init__(
            f"What answers at {address} is not the server you know: its key was {known}, now it is {now}."
            " Somebody may be in between. Nothing secret was sent. Ask its host whether the key was changed;"
            " only if so, forget the old one."
        )
        self.known = known
        self.now = now
        self.invited = invited


class NotVouchedFor(Mistrusted):
    """Certificate authorities vouched for the server before, and don't any more.

    Args:
        address: host and port.
        why: what is wrong with its certificate now, in few words.
    """

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"What answers at {address} can't be told from somebody in between: a certificate authority vouched for"
            f" the server, and none does now ({why}). Nothing secret was sent. Ask its host."
        )
        self.why = why


class WrongPin(Mistrusted):
    """The server has another key than the invitation says.

    Args:
        address: host and port.
        expected: the key of the invitation, in short.
        now: the key that answers, in short.
    """

    def __init__(self, address: str, expected: str, now: str) -> None:
        super().__init__(
            f"The invitation is for a server whose key is {expected}, but what answers at {address} has {now}."
            " Nothing secret was sent. Ask who invited you for a new one."
        )
        self.expected = expected
        self.now = now


class NotEncrypted(Mistrusted):
    """What answers speaks no TLS, where nothing is said without it.

    Args:
        address: host and port.
    """

    def __init__(self, address: str) -> None:
        super().__init__(
            f"What answers at {address} does not encrypt: it is no chat server, or somebody is in between."
            " Nothing secret was sent. Ask its host."
        )


class NoRecord(ClientError):
    """The file of known servers can't be read or written: no server counts as unknown then, and none is trusted."""


class NotConnected(ClientError):
    """There is no connection now: `connect` or `reconnect` first."""


class Lost(ClientError):
    """The connection ended before the answer came.

    Args:
        message: what happened, for people.
        shutdown: the server said that it ends.
    """

    def __init__(self, message: str, *, shutdown: bool = False) -> None:
        super().__init__(message)
        self.shutdown = shutdown


class Refused(ClientError):
    """The server answered with an error.

    Args:
        code: what rule, for programs: one of `server.protocol.errors.Code`.
        message: what happened and what to do, for people.
        wait_ms: milliseconds until the same may be tried again, where time is all it takes; else 0.
        until: when a ban or a silence ends, RFC 3339; empty where it does not, or it is none.
    """

    def __init__(self, code: str, message: str, wait_ms: int = 0, until: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.wait_ms = wait_ms
        self.until = until
