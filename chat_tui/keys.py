"""A key that Textual does not know: Alt+Enter of terminals without the kitty protocol, which is Escape and Enter."""

from contextlib import suppress
from typing import NamedTuple


class _Named(NamedTuple):
    value: str


def teach() -> None:
    """Add the key to Textual's table. Where that has moved, Alt+Enter sends as Enter does, and Ctrl+J still works."""
    with suppress(ImportError, AttributeError, TypeError):
        from textual import _ansi_sequences

        _ansi_sequences.ANSI_SEQUENCES_KEYS.setdefault("\x1b\r", (_Named("alt+enter"),))  # type: ignore[attr-defined]
