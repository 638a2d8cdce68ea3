"""One person's chat: connected, hosted where need be, applied to what the screen shows. No Textual."""

from chat_tui.session.session import Session

__all__ = ["Session"]
