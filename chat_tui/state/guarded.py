"""What is not for everyone's eyes, told by its looks: codes and tickets that are written where all read them."""

import re

_BLOCKS = r"(?i:[0-9a-z]{4}(?:-[0-9a-z]{4}){4,7}|[0-9a-hjkmnp-tv-z]{20}|[0-9a-f]{32})"
"""How the server writes codes and tickets (see `server.protocol.fingerprint`), and this program those for a device."""
_LINE = r"(?:\S+ )*join +(?P<line>\S+)(?: --?\S.*)?|(?P<alone>chat://\S+)"


def what_it_is(text: str, key: str = "") -> str:
    """Return what a text is that is nothing but a secret: "a code or a ticket"; empty for any other text.

    Args:
        text: what was typed.
        key: the short form of the server's key, which looks like a code and is none.
    """
    text = text.strip()
    if text.lower() != key and re.fullmatch(_BLOCKS, text) and re.search(r"\d", text):
        return "a code or a ticket"
    return "an invitation with a ticket" if ticket_of(text) else ""


def is_invitation(text: str) -> bool:
    """Tell whether a text is a line by which one comes to a server."""
    found = re.fullmatch(_LINE, text.strip())
    return found is not None and "chat://" in text


def ticket_of(text: str) -> str:
    """Return the ticket that a line holds by which one comes to a server; empty for none."""
    from chat_tui.state.link import parse_invitation  # seldom needed

    found = re.fullmatch(_LINE, text.strip())
    if found is None:
        return ""
    try:
        return parse_invitation(found["line"] or found["alone"]).ticket
    except ValueError:
        return ""
