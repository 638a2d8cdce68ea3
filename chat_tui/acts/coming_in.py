"""Coming in: what the server, or what is known of it, asks before one is there."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from chat_tui.acts.base import Acts
from chat_tui.errors import ClientError, Mistrusted, Refused, Untrusted
from chat_tui.state.link import Link, Phase
from server.protocol.errors import Code

if TYPE_CHECKING:
    from textual.worker import Worker

    from chat_tui.hosting import Server
    from chat_tui.screens.form import FormScreen
    from chat_tui.screens.sign_in import SignInScreen
    from server.protocol import frames  # only named here: not loaded before the first paint

_CLOSED = "closed"
_BY_TICKET = "invite"
_INVITED = "You are invited: choose a password."


class Again(NamedTuple):
    """Whom the program goes on with, once who was here has logged out or wants to be another."""

    name: str
    """To come in under, or to offer where it is asked for."""
    ask: bool = False
    """Ask for a name."""
    log_in: bool = False
    """To the account of that name, not as a guest."""
    words: str = ""
    """What happened, as a sentence; empty for nothing that has to be said."""
    server: "Server | None" = None
    """One that was started here."""
    ways: "frames.Server | None" = None
    """What the server had said of the ways in."""
    back: str = ""
    """Who one was: whoever does not log in goes on as that. Empty for nobody."""


class ComingIn(Acts):
    """What stands between a name and the room: is it the right server, and is one who one says?"""

    before: Again | None = None
    """What this app goes on from; None for the first one."""
    again: Again | None = None
    """Whom the program goes on with after this app; None: it ends."""
    _form: "FormScreen | None" = None
    """What one logs in by, while it is asked for."""
    _code: "SignInScreen | None" = None
    """Where to sign in, while that is waited for."""
    _offered = False
    """An account was offered to who came with a ticket for one."""
    _later: Link | None = None
    """How things stand, for when what is asked now is answered."""
    _staying: "Worker[None] | None" = None
    """Keeps the session going."""

    @abstractmethod
    def ask_name(self, refusal: str) -> None:
        """Ask for a name, and come in with it."""

    @abstractmethod
    def remember_name(self, name: str) -> None:
        """Remember who one is on this server, for the next start; empty: nobody any more."""

    def connect(self) -> "Worker[None]":
        """Go to the server, or go on where the session has stopped; return what does that."""
        if self._staying is None or self._staying.is_finished:
            self._staying = self.run_worker(self.session.run())
        return self._staying

    def begin_again(self, again: Again) -> None:
        """Leave, and begin anew as another."""
        self.again = again._replace(ways=self._ways)
        self.run_worker(self.run_action("quit"))

    def meet(self, link: Link) -> None:
        """Ask what has to be known before one is in, or say why one is not."""
        if link.phase is Phase.CONNECTING:
            return
        if self._code is not None and link.phase is Phase.LOGIN:
            self._code.fail(link.problem)
            return
        self._close_code()
        if self._form is not None:  # it says itself what was refused; else it closes, and what follows comes then
            self._later = link
            return
        match link.phase:
            case Phase.NAME:
                self.ask_name(link.problem)
            case Phase.TRUST:
                self._ask_trust()
            case Phase.DISTRUST:
                self._warn()
            case Phase.LOGIN if self._is_invited_to_sign_up:
                self.call_later(self.offer_account)
                self._offered = True
            case Phase.LOGIN:
                self.ask_password(link.problem)
            case Phase.ENDED:
                self._say_it_is_over(link.problem)
            case Phase.STRANGER:  # not a line to write in: the right code would be said to everyone
                self.exit(2, message=f"chat-tui: {link.problem}")
            case Phase.ONLINE:
                self._offer_what_is_invited()
            case _:
                pass

    def ask_password(self, problem: str = "") -> None:
        """Ask for the password of the account of one's name, and come in by it, or another way."""
        from chat_tui.screens.form import Field, FormScreen  # not before the first paint

        ways, name = self._ways, self.chat.name
        back = self.before.back if self.before is not None else ""
        refused = self.session.refusal
        code = refused.code if isinstance(refused, Refused) else ""
        if code == Code.NO_GUESTS:
            closed = ways is not None and ways.sign_up == _CLOSED
            new = ", and no new ones are given" if closed else ""
            why, problem = f"Only who has an account comes in here{new}. Log in as {name}:", ""
        elif code == Code.LOGIN_NEEDED:
            why, problem = f"{name} has an account here. If it is yours:", ""
        else:
            why = f"Log in as {name}:"
        keys = {}
        if ways is not None and ways.sso:
            keys["f2"] = f"signs in with {ways.sso}"
        if code == Code.NO_GUESTS and ways is not None and ways.sign_up != _CLOSED:
            keys["ctrl+r"] = "gets an account"

        async def log_in(values: Sequence[str]) -> None:
            self.session.prove(values[0])
            await self._come_in()

        def ended(how: str | None) -> None:
            self._form_closed()
            if how == "f2":
                self._sign_in()
            elif how == "ctrl+r":
                self.call_later(self.offer_account)
            elif how is None and back:
                self.begin_again(Again(back))
            elif how is None:
                self._ask_another_name()

        self._form = FormScreen(
            "Log in",
            why,
            [Field("Password", refused=(Code.LOGIN_FAILED,))],
            log_in,
            keys=keys,
            does="logs in",
            escape=f"goes on as {back}" if back else "another name",
            problem=problem,
        )
        self.push_screen(self._form, ended)

    def offer_account(self, problem: str = "") -> None:
        """Ask for what an account needs."""
        from chat_tui.screens.form import Field, FormScreen  # not before the first paint
        from server.protocol import limits

        ways = self._ways
        if ways is not None and ways.sign_up == _CLOSED:
            self.complain("No new accounts are given here. Who runs the server can change that.")
            return
        fields = [
            Field(
                f"A password, at least {limits.PASSWORD_LEAST} characters",
                least=limits.PASSWORD_LEAST,
                refused=(Code.BAD_PASSWORD,),
            ),
            Field("The same once more", again=True),
        ]
        by_ticket = ways is not None and ways.sign_up == _BY_TICKET
        if by_ticket:
            fields.append(
                Field("The ticket you were given", holds=self.session.address.ticket, refused=(Code.BAD_CODE,))
            )
        is_in = self.session.link.phase is Phase.ONLINE

        async def register(values: Sequence[str]) -> None:
            ticket = values[2].strip() if by_ticket else ""
            try:
                if is_in:
                    await self.session.register(values[0], ticket=ticket)
                else:
                    self.session.prove(values[0], new=True, ticket=ticket)
                    await self._come_in()
            except Refused as refused:
                if refused.code != Code.BAD_CODE:
                    raise
                raise Refused(refused.code, "This ticket is not good, or not any more. Ask for a new one.") from refused

        def ended(how: str | None) -> None:
            self._form_closed()
            if how == FormScreen.DONE:
                if self.session.client.account:
                    self._has_account()
            elif how == "ctrl+r":
                self.call_later(self.ask_password)
            elif how is not None:
                self._sign_in(new=is_in)
            elif not is_in:
                self._ask_another_name()

        stays = "stays yours, with your rooms and messages" if is_in else "will be yours"
        why = f"The name {self.chat.name} {stays}, and lets you in on other devices."
        keys = {"f2": f"signs in with {ways.sso} instead"} if ways is not None and ways.sso else {}
        if not is_in:
            why = f"{_INVITED} {why}" if self.session.address.ticket else why
            keys["ctrl+r"] = "logs in to one you have"
        screen = FormScreen(
            "An account for you",
            why,
            fields,
            register,
            keys=keys,
            does="registers",
            escape="closes" if is_in else "another name",
            problem=problem,
        )
        if not is_in:
            self._form = screen
        self.push_screen(screen, ended)

    # What is asked.

    def _ask_trust(self) -> None:
        from chat_tui.screens.trust import first_visit  # not before the first paint

        stranger = self.session.refusal
        if not isinstance(stranger, Untrusted):
            return

        def answered(key: str | None) -> None:
            if key == "enter":
                self.run_worker(self._trust(stranger))
            else:
                self.exit(0)

        self.push_screen(first_visit(stranger), answered)

    async def _trust(self, stranger: Untrusted) -> None:
        try:
            await self.session.trust(stranger)
        except ClientError as error:  # it can't be kept: then nobody is trusted
            self.exit(2, message=f"chat-tui: {error.message}")
        else:
            self.connect()

    def _warn(self) -> None:
        from chat_tui.screens.trust import forget_line, forgets, not_the_one  # not before the first paint

        error = self.session.refusal
        if not isinstance(error, Mistrusted):
            return
        address = self.session.address
        line = forget_line(address.host, address.port)
        way_out = f"\nTo forget it: {line}" if forgets(error) else ""

        def pressed(key: str | None) -> None:
            if key == "y":
                self.copy_to_clipboard(line)
            self.exit(2, message=f"chat-tui: {error.message}{way_out}")

        self.push_screen(not_the_one(error, address.host, address.port), pressed)

    def _offer_what_is_invited(self) -> None:
        """Who comes with a ticket is to have an account: offered once."""
        if self.session.address.ticket and not self._offered and not self.session.client.account:
            self.call_later(self.offer_account)
        self._offered = True

    @property
    def _is_invited_to_sign_up(self) -> bool:
        """Only accounts are let in, and one came with a ticket for one: that is asked for first."""
        refused, ways = self.session.refusal, self._ways
        no_guests = isinstance(refused, Refused) and refused.code == Code.NO_GUESTS
        closed = ways is not None and ways.sign_up == _CLOSED
        return no_guests and not closed and bool(self.session.address.ticket) and not self._offered

    def _say_it_is_over(self, problem: str) -> None:
        from chat_tui.screens.page import PageScreen  # not before the first paint

        last, name = self.session.refusal, self.chat.name
        erased = isinstance(last, Refused) and last.code == Code.ERASED
        keys = {"escape": "leaves"} if erased else {"enter": "logs in again", "escape": "leaves"}

        def pressed(key: str | None) -> None:
            if key == "enter":
                self.begin_again(Again(name, log_in=True))
            else:
                self.exit(0)

        why = problem if erased else f"{name} was logged out here: from another device, or by a new password."
        title = "Erased" if erased else "Logged out"
        self.push_screen(PageScreen(title, Content(f"\n{why}\n"), keys, alone=True), pressed)

    # How.

    @property
    def _ways(self) -> "frames.Server | None":
        """What the server said of the ways in; None where it was not reached yet."""
        return self.session.client.ways or (self.before.ways if self.before is not None else None)

    async def _come_in(self) -> None:
        """Go on with the session; return once it is known how that begins. Raises what was refused again."""
        self.connect()
        await self.session.settled()

    def _ask_another_name(self) -> None:
        """Ask for another name. Logging in that is on its way is given up: it must not let anybody in later."""
        phase = self.session.link.phase
        if phase is Phase.ONLINE:
            return
        if phase is Phase.CONNECTING and self._staying is not None:
            self._staying.cancel()
        self.call_later(self.ask_name, "")

    def _form_closed(self) -> None:
        self._form = None
        if self._later is not None and self._later.phase is not Phase.LOGIN:
            self.call_later(self.meet, self._later)
        self._later = None

    def _sign_in(self, *, new: bool = False) -> None:
        """Sign in at the server's provider; `new`: who is in already gets an account by it."""
        if new:
            signing = self.run_worker(self._get_account())
        else:
            self.session.prove(sso=True)
            signing = self.connect()
        self.session.client.on_sso = lambda sso: self._told_where(sso, signing, new)

    async def _get_account(self) -> None:
        try:
            await self.session.register(sso=True)
        except ClientError as error:
            if self._code is not None:
                self._code.fail(error.message)
            else:
                self.complain(error.message)
        else:
            self._close_code()
            self._has_account()

    def _told_where(self, sso: "frames.Sso", signing: "Worker[None]", new: bool) -> None:
        self.call_later(self._show_code, sso, signing, new)

    def _show_code(self, sso: "frames.Sso", signing: "Worker[None]", new: bool) -> None:
        """Show where to sign in until that is done; who closes it does not want to any more."""
        from chat_tui.screens.sign_in import SignInScreen  # not before the first paint

        ways = self._ways
        self._code = screen = SignInScreen(sso, ways.sso if ways is not None else "")

        def closed(how: str | None) -> None:
            if self._code is not screen:
                return
            self._code = None
            signing.cancel()
            if how == SignInScreen.AGAIN:
                self._sign_in(new=new)
            elif not new:
                self.session.give_up()

        self.push_screen(screen, closed)

    def _close_code(self) -> None:
        code, self._code = self._code, None
        if code is not None and code.is_current:
            code.dismiss()

    def _has_account(self) -> None:
        owns = " /claim makes the server yours, too." if self.session.owner_code() else ""
        self.tell(f"The name {self.chat.name} is yours now: you can come in on other devices with it.{owns}")
