"""The headless client: connect, talk, come back. No Textual: scripts, bots and tests use it as the terminal does."""

from chat_tui.client.client import Client
from chat_tui.client.outbox import UNSURE, Pending, Sent
from chat_tui.errors import (
    ClientError,
    KeyChanged,
    Lost,
    Mistrusted,
    NoRecord,
    NotAChatServer,
    NotConnected,
    NotEncrypted,
    NotVouchedFor,
    Refused,
    Unreachable,
    Untrusted,
    WrongPin,
)

__all__ = [
    "UNSURE",
    "Client",
    "ClientError",
    "KeyChanged",
    "Lost",
    "Mistrusted",
    "NoRecord",
    "NotAChatServer",
    "NotConnected",
    "NotEncrypted",
    "NotVouchedFor",
    "Pending",
    "Refused",
    "Sent",
    "Unreachable",
    "Untrusted",
    "WrongPin",
]
