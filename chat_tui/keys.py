"""Keys that Textual does not know, or takes its time over: Alt with another key, mostly sent as Escape and that key."""

import string
from contextlib import suppress
from typing import Any, NamedTuple


class _Named(NamedTuple):
    value: str


def teach() -> None:
    """Add them to Textual's table.

    Without that it waits a tenth of a second for what may follow Escape and a letter, and Alt+Enter is Enter. Where the
    table has moved, that is so again.
    """
    with suppress(ImportError, AttributeError, TypeError):
        from textual import _ansi_sequences

        known: dict[str, Any] = _ansi_sequences.ANSI_SEQUENCES_KEYS  # type: ignore[assignment]
        known.setdefault("\x1b\r", (_Named("alt+enter"),))
        for key in string.ascii_lowercase:
            known.setdefault(f"\x1b{key}", (_Named(f"alt+{key}"),))
        for key in string.digits:  # Textual takes them for what a Mac's keyboard would write
            known[f"\x1b{key}"] = (_Named(f"alt+{key}"),)
