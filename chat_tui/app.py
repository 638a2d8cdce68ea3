"""The application: composes the screens and owns the session."""

import asyncio
import gc
import os
import signal
import threading
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen
from textual.worker import Worker

from chat_tui import config, keys
from chat_tui.actions import Where, of
from chat_tui.errors import ClientError
from chat_tui.screens.chat import ChatScreen
from chat_tui.state.chat import Changed, Chat
from chat_tui.state.link import Address, Link, Phase
from chat_tui.themes import THEMES
from chat_tui.widgets.log import MessageLog

_GOODBYE = 3.0
"""Seconds that leaving may take after a signal before the process ends without it."""

if TYPE_CHECKING:
    from chat_tui.session import Session


def _palette() -> type[Any]:
    from chat_tui.screens.palette import Actions  # seldom opened, and not before the first paint

    return Actions


class ChatApp(App[int]):
    """A full-screen chat.

    Args:
        address: where the server is.
        name: the name to take; None to ask for one, offering `offer`.
        offer: what the question for a name offers.
    """

    TITLE = "chat"
    CSS_PATH = "styles/chat.tcss"
    BINDINGS = [
        Binding(",".join(action.keys), action.action, action.text, id=action.id, show=False, priority=True)
        for action in of(Where.APP)
    ]
    COMMANDS = {_palette}

    def __init__(self, address: Address, name: str | None, offer: str = "") -> None:
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
        self.room = ChatScreen(self.chat, people=self.settings.people)
        self._offer = offer
        self._asks = name is None
        self._staying: Worker[None] | None = None

    @cached_property
    def session(self) -> "Session":
        """The way to the server."""
        from chat_tui.session import Session  # with the client and the protocol, not before the first paint

        data = config.data_path()
        return Session(self._address, self.chat, data / "server", self._changed, keep=data / "outbox")

    def get_default_screen(self) -> Screen[Any]:
        """Start in the room."""
        return self.room

    def on_mount(self) -> None:
        """Start once the first picture is on the terminal."""
        self._end_cleanly()
        # Back from the shell (fg): the terminal shows nothing of what was drawn.
        self.app_resume_signal.subscribe(self, lambda _: self.call_after_refresh(self.room.action_redraw))
        if self._asks:
            self._ask("")
        self.call_after_refresh(self._start)

    # What the session tells.

    def _changed(self, what: Changed) -> None:
        if Changed.LINK in what:
            self._show_link(self.session.link)
        if Changed.RETURNED in what:
            while self.chat.returned:
                self._give_back(self.chat.returned.pop(0))
        if Changed.DRAFT in what and not self.room.composer.text:
            self.room.composer.put(self.session.draft())
        self.room.changed(what)

    def _show_link(self, link: Link) -> None:
        tone = {Phase.ONLINE: "good", Phase.OFFLINE: "bad"}.get(link.phase, "waiting")
        self.room.link(link.words, tone, link.problem, "F5 tries again." if link.phase is Phase.OFFLINE else "")
        self.room.invite(self.session.welcome_words())
        if link.phase is Phase.NAME:
            self._ask(link.problem)

    # What the screens ask for.

    def on_chat_screen_said(self, message: ChatScreen.Said) -> None:
        """Send a message. One that can't be sent goes back to where it was written."""
        try:
            self.session.say(message.text, message.me)
        except ClientError as error:
            self._say(error.message, "error")
            self.room.composer.put(message.text)

    def on_chat_screen_drafted(self, message: ChatScreen.Drafted) -> None:
        """Keep what is being written. It comes after what was said before it: a kill in between loses neither."""
        self.session.keep_draft(message.text)

    def on_chat_screen_called(self, message: ChatScreen.Called) -> None:
        """Run a command."""
        getattr(self, f"command_{message.action}")(message.argument)

    def on_message_log_older_wanted(self, message: MessageLog.OlderWanted) -> None:
        """Fetch older messages."""
        self.run_worker(self._older(message.log))

    def on_message_log_link_opened(self, message: MessageLog.LinkOpened) -> None:
        """Open a link in the browser."""
        self.open_url(message.url)

    # Commands.

    def command_help(self, _: str) -> None:
        """Show the help."""
        self.action_help()

    def command_quit(self, _: str) -> None:
        """Leave."""
        self._leave()

    def command_clear(self, _: str) -> None:
        """Empty the view."""
        self.chat.current.timeline.clear()

    def command_who(self, _: str) -> None:
        """Say who is here."""
        names = self.chat.current.people.ordered(self.chat.name)
        here = ", ".join(f"{name} (you)" if name == self.chat.name else name for name in names)
        self._say(f"{len(names)} here: {here}" if names else "Not connected: nobody knows who is here.", "info")

    def command_nick(self, name: str) -> None:
        """Take another name."""
        self.run_worker(self._nick(name))

    # Actions.

    async def action_quit(self) -> None:
        """Leave: others are told at once. Where something is not sent yet, that has to be said twice."""
        waiting = len(self.session.client.unconfirmed)
        if waiting and not self._warned and isinstance(self.screen, ChatScreen):
            self._warned = True
            what = "A message is" if waiting == 1 else f"{waiting} messages are"
            then = "kept for the next time you are here" if self.session.client.keeps else "lost when you leave"
            self._say(f"{what} not sent yet, and {then}. Leave once more to leave all the same.", "error")
            return
        if self.session.link.phase is not Phase.LEFT:
            with suppress(ClientError, OSError):
                await self.session.leave()
            if self.settings.people is not self.room.show_people:
                self._remember()
        self.exit(0)

    def action_help(self) -> None:
        """Show all keys and commands."""
        from chat_tui.screens.help import HelpScreen  # not before the first paint

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen())

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
            self._connect()

    def action_retry(self) -> None:
        """Send what failed again. What can't be sent stays where it is."""
        try:
            self.session.retry()
        except ClientError as error:
            self._say(error.message, "error")

    def action_take_back(self) -> None:
        """Bring a message that is not sent back to the composer."""
        text = self.session.take_back()
        if text is not None:
            self._give_back(text)

    # How.

    def _give_back(self, text: str) -> None:
        """Put a text under what is being written."""
        before = self.room.composer.text
        self.room.composer.put(f"{before}\n{text}" if before else text)

    def _first_theme(self) -> str:
        """Return the colours to start with: the terminal's own where it has no more than sixteen."""
        if self.settings.theme in self.available_themes:
            return self.settings.theme
        return "ansi-dark" if self.console.color_system == "standard" else THEMES[0].name

    def _start(self) -> None:
        """The first picture stands: connect, and let the garbage collector work, on what comes from now on."""
        gc.freeze()
        gc.enable()
        if not self._asks:
            self._connect()

    def _connect(self) -> None:
        if self._staying is None or self._staying.is_finished:
            self._staying = self.run_worker(self.session.run())

    def _ask(self, refusal: str) -> None:
        """Ask for a name, and come in with it."""
        from chat_tui.screens.name import NameScreen

        self.push_screen(NameScreen(self.chat.name or self._offer, refusal), self._named)

    def _named(self, name: str | None) -> None:
        if name:
            self.chat.name = name
            self.call_later(self._connect)

    async def _nick(self, name: str) -> None:
        try:
            await self.session.nick(name)
        except ClientError as error:
            self._say(error.message, "error")

    async def _older(self, log: MessageLog) -> None:
        with suppress(ClientError):  # the connection says itself that it is gone
            await self.session.older()
        log.older_answered()

    def _say(self, text: str, tone: Any) -> None:  # noqa: ANN401 - one of the timeline's tones
        self.chat.current.timeline.notice(text, self.chat.clock(), tone)

    def _remember(self) -> None:
        self.settings.people = self.room.show_people
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

    def _leave(self) -> None:
        self.run_worker(self.action_quit())

    def on_unmount(self) -> None:
        """Leave a hosted server to others."""
        self.session.release()
