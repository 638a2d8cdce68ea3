"""The headless client: connect, talk, come back. No Textual: scripts, bots and tests use it as the terminal does."""

from chat_tui.client.client import Client
from chat_tui.client.outbox import UNSURE, Pending, Sent
from chat_tui.errors import ClientError, Lost, NotAChatServer, NotConnected, Refused, Unreachable

__all__ = [
    "UNSURE",
    "Client",
    "ClientError",
    "Lost",
    "NotAChatServer",
    "NotConnected",
    "Pending",
    "Refused",
    "Sent",
    "Unreachable",
]
