"""Reporting: how messages come before the moderators."""

from textual.content import Content

from chat_tui.acts.messages import MessageActs, in_short
from chat_tui.state.entries import MINE, Entry

_REASONS = ("Spam", "Insults or threats", "Somebody pretends to be somebody else", "It does not belong here")


class ReportingActs(MessageActs):
    """What everyone can do about what others say."""

    def command_report(self, reason: str) -> None:
        """Show the last message of somebody else to the moderators."""
        entry = self._last(mine=False)
        if entry is not None and reason:
            self._report(entry, reason)
        elif entry is not None:
            self._do_report(entry)

    def _do_report(self, entry: Entry) -> None:
        """Ask why, and show a message to the moderators."""
        from chat_tui.screens.pick import Choice, PickScreen  # not before the first paint

        if entry.flags & MINE:
            self.complain("This is your own message: d deletes it.")
            return

        def choices(typed: str) -> list[Choice]:
            known = [reason for reason in _REASONS if typed.casefold() in reason.casefold()]
            found = [Choice(reason, Content(reason)) for reason in known]
            own = typed and typed.casefold() not in map(str.casefold, known)
            return [*found, Choice(typed, Content(f"“{typed}”"))] if own else found  # whoever types a part means it

        title = f"Report “{in_short(entry)[:40]}”"
        screen = PickScreen(title, choices, asks="why? choose, or say it in your own words", none="")
        self.push_screen(screen, lambda reason: self._report(entry, reason) if reason else None)

    def _report(self, entry: Entry, reason: str) -> None:
        self.attempt(
            self.session.client.report(self.chat.current.handle, entry.seq, reason),
            lambda: self.tell(
                f"The moderators will see what {entry.name} said. /block {entry.name} hides it from you."
            ),
        )
