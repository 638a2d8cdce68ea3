"""The application: composes the screens and owns the session."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from chat_tui import config, keys
from chat_tui.actions import Where, of
from chat_tui.acts.account import AccountActs
from chat_tui.acts.coming_in import Again
from chat_tui.acts.finding import FindingActs
from chat_tui.acts.messages import replying
from chat_tui.acts.overseeing import OverseeingActs
from chat_tui.acts.privacy import PrivacyActs
from chat_tui.commands import COMMANDS, Command, tells_secret, written
from chat_tui.errors import ClientError
from chat_tui.screens.chat import ChatScreen
from chat_tui.state.chat import Changed, Chat, Sort
from chat_tui.state.entries import ACTION, Waiting, names_in_words, reply_of
from chat_tui.state.guarded import what_it_is
from chat_tui.state.link import Address, Link, Phase
from chat_tui.themes import THEMES
from chat_tui.typeahead import KeysInOrder
from chat_tui.widgets.log import MessageLog
from chat_tui.widgets.log_pane import LogPane
from chat_tui.widgets.writer import joined

_GOODBYE = 3.0
"""Seconds that leaving may take after a signal before the process ends without it."""

_SAID_HERE = frozenset({Phase.CONNECTING, Phase.WAITING, Phase.OFFLINE})
"""What goes wrong then is said above the composer; else a screen of its own asks about it."""
_OVER = frozenset({Phase.OFFLINE, Phase.DISTRUST, Phase.ENDED})
"""Nothing more is tried alone."""

if TYPE_CHECKING:
    from chat_tui.session import Session


def _palette() -> type[Any]:
    from chat_tui.screens.palette import Actions  # seldom opened, and not before the first paint

    return Actions


class ChatApp(FindingActs, OverseeingActs, PrivacyActs, AccountActs, KeysInOrder):
    """A full-screen chat.

    Args:
        address: where the server is.
        name: the name to take; None to ask for one, offering `offer`.
        offer: what the question for a name offers.
        device: the code that another device of the same person gave; empty for none.
        again: what this app goes on from, where it is not the first one; `again` of the one before.
    """

    TITLE = "chat"
    CSS_PATH = "styles/chat.tcss"
    BINDINGS = [
        Binding(",".join(action.keys), action.action, action.text, id=action.id, show=False, priority=True)
        for action in of(Where.APP)
    ]
    COMMANDS = {_palette}

    def __init__(
        self, address: Address, name: str | None, offer: str = "", device: str = "", again: Again | None = None
    ) -> None:
        keys.teach()
        super().__init__()
        self.settings = config.load(config.settings_path())
        for theme in THEMES:
            self.register_theme(theme)
        # Without watchers: they would have all styles read once more before the first paint.
        self.set_reactive(App.theme, self._first_theme())
        self.stylesheet.set_variables(self.get_css_variables())
        self.chat = Chat(name or "")
        self._address = address
        self._warned = False
        sort: Sort = "name" if self.settings.sort == "name" else "recent"
        self.room = ChatScreen(self.chat, self, people=self.settings.people, rooms=self.settings.rooms, sort=sort)
        self._place = self.chat.current.place
        """Where one writes."""
        self._seen: tuple[str, int] | None = None
        """A room and how far it was seen while the terminal had not the focus: nobody may have read that."""
        self._offer = again.name if again is not None else offer
        self.before = again
        self._device_code = device
        self._asks = name is None and not device
        self._logs_in = again is not None and again.log_in
        self._asked_about = ""
        """What looks like a secret, and is said if it is sent once more."""
        self._remembered = ""
        """The name that is remembered for the next start."""

    @cached_property
    def session(self) -> "Session":
        """The way to the server."""
        from chat_tui.session import Session  # with the client and the protocol, not before the first paint

        data = config.data_path()
        before = self.before
        return Session(
            self._address,
            self.chat,
            data / "server",
            self._changed,
            keep=data / "outbox",
            device=self._device_code,
            known=config.known_path(),
            server=before.server if before is not None else None,
        )

    def get_css_variables(self) -> dict[str, str]:
        """Return the colours; none while the app is being made, when it is not known yet which."""
        return super().get_css_variables() if hasattr(self, "settings") else {}

    def get_default_screen(self) -> Screen[Any]:
        """Start in the room."""
        return self.room

    def on_mount(self) -> None:
        """Start once the first picture is on the terminal."""
        self._end_cleanly()
        # Back from the shell (fg): the terminal shows nothing of what was drawn.
        self.app_resume_signal.subscribe(self, lambda _: self.call_after_refresh(self.room.action_redraw))
        if self._asks:
            self.ask_name("", self.before.words if self.before is not None else "")
        elif self._logs_in:  # at once: what is typed now is a password
            self.ask_password()
        self.call_after_refresh(self._start)

    # What the session tells.

    def _changed(self, what: Changed) -> None:
        if Changed.LINK in what:
            self._show_link(self.session.link)
        if Changed.NAME in what:
            self.remember_name(self.session.client.name)
        if self._place != self.chat.current.place:
            self._place = self.chat.current.place
            self.room.enter(self.session.draft(self._place))
        if Changed.RETURNED in what:
            while self.chat.returned:
                self._give_back(*self.chat.returned.pop(0))
        if Changed.DRAFT in what:
            self.room.writer.restore(self.session.draft(self._place))
        self.room.changed(what)

    def _show_link(self, link: Link) -> None:
        tone = "good" if link.phase is Phase.ONLINE else "bad" if link.phase in _OVER else "waiting"
        problem = link.problem if link.phase in _SAID_HERE else ""
        self.room.link(link.words, tone, problem, link.way_out)
        self.room.invite(self.session.welcome_words())
        if link.phase is Phase.ONLINE:
            self.remember_name(self.session.client.name)
        elif link.phase is Phase.ENDED:
            self.remember_name("")
        self.meet(link)
        if link.phase is Phase.ONLINE:
            self.ask_for_reports()

    # What the screens ask for.

    def say(self, text: str, me: bool, reply: int) -> bool:
        """Send a message; return whether it can be one. What looks like a secret is asked about first."""
        secret = what_it_is(text, self.session.server_key)
        if secret and text != self._asked_about:
            self._asked_about = text
            self.room.writer.remark(f"This is {secret}, and everyone here would read it.", "Enter says it all the same")
            return False
        self._asked_about = ""
        try:
            self.session.say(text, me, reply)
        except ClientError as error:
            self.complain(error.message)
            return False
        self.room.log_view.action_end()
        return True

    def drafted(self, text: str, place: str) -> None:
        """Keep what is being written. It comes after what was said before it: a kill in between loses neither."""
        self.session.keep_draft("" if tells_secret(text) else text, place)
        if text and not text.startswith("/"):
            self.session.typing()

    def call(self, command: Command, values: tuple[str, ...]) -> None:
        """Run a command, unless it takes another role than mine: that is said at once, before anything is asked."""
        if self.room.may(command):
            getattr(self, f"command_{command.name}")(*values)
        else:
            self.complain(self.chat.why_not_for(command.least, server=command.server))

    def on_message_log_older_wanted(self, message: MessageLog.OlderWanted) -> None:
        """Fetch older messages."""
        self.run_worker(self._page(message.log, self.session.older))

    def on_message_log_newer_wanted(self, message: MessageLog.NewerWanted) -> None:
        """Fetch newer messages of what stands around an old one."""
        self.run_worker(self._page(message.log, self.session.newer))

    def on_message_log_end_wanted(self) -> None:
        """Return to the newest message."""
        self.back()

    def on_message_log_read(self, message: MessageLog.Read) -> None:
        """Tell that a message was read, once somebody looks at this terminal."""
        if message.timeline is self.chat.current.timeline:
            self._seen = (message.timeline.room, message.seq)
            self._tell_seen()

    def on_app_focus(self) -> None:
        """What stands on the screen is read now."""
        self._tell_seen(focused=True)

    def _tell_seen(self, *, focused: bool = False) -> None:
        if self._seen is not None and (focused or self.app_focus) and self._seen[0] == self.chat.current.handle:
            seen, self._seen = self._seen, None
            self.session.seen(seen[1])

    # Commands.

    def command_help(self) -> None:
        """Show the help."""
        self.action_help()

    def command_quit(self) -> None:
        """Leave."""
        self._leave()

    def command_clear(self) -> None:
        """Empty the view."""
        self.chat.current.shown.clear()

    # Actions.

    async def action_quit(self) -> None:
        """Leave: others are told at once. Where something is not sent yet, that has to be said twice."""
        waiting = len(self.session.client.unconfirmed)
        if waiting and not self._warned and isinstance(self.screen, ChatScreen):
            self._warned = True
            what = "A message is" if waiting == 1 else f"{waiting} messages are"
            then = "kept for the next time you are here" if self.session.client.keeps else "lost when you leave"
            self.complain(f"{what} not sent yet, and {then}. Leave once more to leave all the same.")
            self.again = None
            return
        if self.again is not None:
            self.push_screen(Screen())  # what is typed from now on may be a password: nothing here takes it
            self.again = self.again._replace(server=self.session.hand_over())
        goodbye = self._goodbye()
        if self.session.link.phase is not Phase.LEFT:
            with suppress(ClientError, OSError):
                await self.session.quit()
            shown = (self.room.show_people, self.room.show_rooms)
            if (self.settings.people, self.settings.rooms) != shown:
                self._remember()
        self.exit(0, message=goodbye)

    def action_help(self) -> None:
        """Show all keys and commands."""
        from chat_tui.screens.help import HelpScreen  # not before the first paint

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen([command for command in COMMANDS if self.room.may(command)]))

    def action_theme(self) -> None:
        """Switch between dark and light."""
        self.theme = next(theme.name for theme in THEMES if theme.dark is not self.current_theme.dark)
        self.settings.theme = self.theme
        self._remember()

    def action_connect(self) -> None:
        """Try to connect again."""
        if self.session.link.phase is Phase.WAITING:
            self.session.hurry()
        elif self.session.link.phase is Phase.OFFLINE:
            self.connect()

    def action_retry(self) -> None:
        """Send what failed again. What can't be sent stays where it is."""
        try:
            self.session.retry()
        except ClientError as error:
            self.complain(error.message)

    def action_take_back(self) -> None:
        """Bring a message that is not sent back to the composer."""
        message = self.session.take_back()
        if message is not None:
            self._give_back(self.chat.current.handle, message)

    # How.

    def _give_back(self, handle: str, message: Waiting) -> None:
        """Put a message that was not sent under what is being written in its room."""
        line = written(message.raw, bool(message.flags & ACTION))
        room = self.chat.room(handle)
        if room is not self.chat.current:
            self.session.keep_draft(joined(self.session.draft(handle), line), handle)
            return
        answered = room.shown.message(reply_of(message))
        in_its_thread = room.thread is not None and room.thread.thread == reply_of(message)
        self.room.writer.give_back(line, replying(answered) if answered and not in_its_thread else None)

    def _first_theme(self) -> str:
        """Return the colours to start with: the terminal's own where it has no more than sixteen."""
        if self.settings.theme in self.available_themes:
            return self.settings.theme
        return "ansi-dark" if self.console.color_system == "standard" else THEMES[0].name

    def _start(self) -> None:
        """The first picture stands: connect, and let the garbage collector work, on what comes from now on."""
        gc.freeze()
        gc.enable()
        if not (self._asks or self._logs_in):
            self.connect()

    def ask_name(self, refusal: str, words: str = "") -> None:
        """Ask for a name, and come in with it."""
        from chat_tui.screens.name import NameScreen

        self.push_screen(NameScreen(self.chat.name or self._offer, refusal, words), self._named)

    def _named(self, name: str | None) -> None:
        if name:
            self.chat.name = name
            self.call_later(self.connect)

    async def _page(self, log: LogPane, fetch: Callable[[], Awaitable[None]]) -> None:
        with suppress(ClientError):  # the connection says itself that it is gone
            await fetch()
        log.older_answered()
        log.newer_answered()

    def _goodbye(self) -> str | None:
        """Return what is to be known once this program has ended: a server that was started here goes on for others."""
        people = self.chat.general.people
        others = sorted(people.names - {self.chat.name})
        if not (others and self.session.hosts):
            return None
        whom = f"{len(people) - 1:,} others" if people.unknown else names_in_words(others)
        return f"Your server goes on for {whom}. It ends once nobody is there any more."

    def remember_name(self, name: str) -> None:
        """Remember who one is on this server, for the next start; empty: nobody any more."""
        if name == self._remembered:
            return
        path, server = config.names_path(), f"{self._address.host}:{self._address.port}"
        others = [other for other in config.load_names(path, server) if other not in (name, self._remembered)]
        config.save_names(path, server, [name, *others] if name else others)
        self._remembered = name

    def _remember(self) -> None:
        self.settings.people, self.settings.rooms = self.room.show_people, self.room.show_rooms
        config.save(self.settings, config.settings_path())

    def _end_cleanly(self) -> None:
        """Leave the terminal as it was when this program is told to end."""
        if self.is_headless:
            return
        loop = asyncio.get_running_loop()

        def end(number: int, _: object) -> None:
            # A terminal that is gone takes no output, and Textual waits for it to do so, for ever.
            last = threading.Timer(_GOODBYE, os._exit, (128 + number,))
            last.daemon = True
            last.start()
            self._warned = True  # nobody is there to be asked
            loop.call_soon_threadsafe(self._leave)

        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), end)

    def _fatal_error(self) -> None:
        """End after a mistake of this program. Textual would print the values of all variables: secrets among them."""
        from rich.segment import Segments
        from rich.traceback import Traceback

        self._exit_renderables.append(Segments(self.console.render(Traceback(width=None), self.console.options)))
        self._close_messages_no_wait()

    def _leave(self) -> None:
        self.run_worker(self.action_quit())

    def on_unmount(self) -> None:
        """Leave a hosted server to others."""
        self.session.release()
