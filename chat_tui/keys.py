"""Keys that Textual does not know, or takes its time over: Alt with another key, mostly sent as Escape and that key."""

import string
from contextlib import suppress
from typing import NamedTuple


class _Named(NamedTuple):
    value: str


def teach() -> None:
    """Add them to Textual's table.

    Without that it waits a tenth of a second for what may follow Escape and a letter, and Alt+Enter is Enter. Where the
    table has moved, that is so again.
    """
    with suppress(ImportError, AttributeError, TypeError):
        from textual import _ansi_sequences

        known = _ansi_sequences.ANSI_SEQUENCES_KEYS
        known.setdefault("\x1b\r", (_Named("alt+enter"),))  # type: ignore[attr-defined]
        for key in string.ascii_lowercase + string.digits:
            known.setdefault(f"\x1b{key}", (_Named(f"alt+{key}"),))  # type: ignore[attr-defined]
