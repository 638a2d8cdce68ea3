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
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
