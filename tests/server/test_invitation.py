"""The line by which others come to a server."""

import socket

import pytest
from certificates import authority, make
from cryptography.hazmat.primitives.serialization import Encoding

from chat_tui.state.link import parse_invitation
from server import invitation
from server.invitation import way_in

OWN = make("chat-server")
VOUCHED = make("chat.example", authority())


@pytest.mark.parametrize("ticket", ["", "a1b2-c3d4-e5f6-g7h8-j9k0"])
@pytest.mark.parametrize("vouched", [False, True])
@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "chat.example"])
def test_the_line_leads_the_terminal_here(host: str, vouched: bool, ticket: str) -> None:
    """By address or name, with the server's key unless an authority vouches for it, and with a ticket if wanted."""
    certificate = VOUCHED if vouched else OWN
    line = way_in(host, 7374, certificate.certificate.public_bytes(Encoding.DER)).line(ticket)
    word, verb, address = line.split(" ")
    assert (word, verb) == ("chat-tui", "join")
    there = parse_invitation(address)
    assert (there.host, there.port, there.ticket) == ("chat.example" if vouched else host, 7374, ticket)
    assert there.pin == ("" if vouched else OWN.short)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_who_listens_everywhere_is_reached_at_an_address(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that leads out of this machine; its name where there is none."""
    certificate = OWN.certificate.public_bytes(Encoding.DER)
    assert way_in(host, 7373, certificate).host not in ("0.0.0.0", "::", "127.0.0.1", "::1", "")
    monkeypatch.setattr(invitation, "_own_address", lambda _version: "")
    assert way_in(host, 7373, certificate).host == socket.gethostname()
