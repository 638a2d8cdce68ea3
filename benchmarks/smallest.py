"""The smallest possible Textual app: what no first paint can be faster than."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Smallest(App[None]):
    """Shows one word: the same that the chat's first paint is known by."""

    def compose(self) -> ComposeResult:
        """Show it."""
        yield Static("general")


if __name__ == "__main__":
    Smallest().run()
