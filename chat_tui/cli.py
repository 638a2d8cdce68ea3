"""The command line. Nothing heavy is imported before it is understood."""

import argparse
import gc
import os
import sys
from typing import TYPE_CHECKING

from chat_tui.config import DEFAULT_PORT
from chat_tui.lean import without_widgets

if TYPE_CHECKING:
    from chat_tui.state.link import Address

_CODE = "The code that /device shows on your other device: "
_NO_CODE = "without a code there is nobody to come in as. Type /device on your other device."
_TICKET = "The ticket of the invitation: "
_NO_TICKET = "without the ticket, leave --ticket out."


def main(arguments: list[str] | None = None) -> int:
    """Run `chat-tui`; return its exit code."""
    # Start-up makes many objects that stay: looking through them for garbage again and again only takes time.
    gc.disable()
    options = _parse(arguments)
    if options.forget_key:
        return _forget_key(options.host, options.port)
    # Textual reads this when it is imported. At its own 60 a second a key waits for the next picture while messages
    # pour in; the log paints no more often for it (measured at 1,000 messages a second: 3 instead of 8 ms to the echo).
    os.environ.setdefault("TEXTUAL_FPS", "240")
    address = _address(options)
    device = device_code(_ask_unseen(_CODE, _NO_CODE)) if options.device else ""
    name, offer = options.name, ""
    if name is None and not device:
        name, offer = _who(address)
    with without_widgets():
        from chat_tui.app import ChatApp

    app = ChatApp(address, name, offer, device)
    code = app.run()
    while (again := app.again) is not None:  # a new app: nothing of who it was stays on the screen or in memory
        del app
        gc.unfreeze()  # what was there at its first picture was left out of every collection
        gc.collect()
        app = ChatApp(address, None if again.ask else again.name, again=again)
        code = app.run()
    return code or 0


def _address(options: argparse.Namespace) -> "Address":
    """Return where to go; where the invitation's ticket is not in the line, it is asked for."""
    from chat_tui.state.link import Address, parse_invitation

    if not options.join:
        return Address(options.host or "127.0.0.1", options.port, may_host=options.host is None, share=options.share)
    try:
        address = parse_invitation(options.join[1])
    except ValueError as error:
        raise SystemExit(f"chat-tui: {error}") from None
    return address._replace(ticket=_ask_ticket()) if options.ticket else address


def _ask_ticket() -> str:
    """Ask for the ticket of an invitation, until what is typed can be one."""
    from chat_tui.state.link import NO_TICKET
    from server.protocol.fingerprint import is_short, normal

    while not is_short(ticket := normal(_ask_unseen(_TICKET, _NO_TICKET))):
        sys.stdout.write(f"{NO_TICKET}\n")
    return ticket


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chat-tui",
        usage="%(prog)s [options]\n       %(prog)s join chat://HOST:PORT/KEY [options]",
        description="A full-screen chat in the terminal. With no server at the default address it starts one.",
    )
    parser.add_argument("join", nargs="*", metavar="join chat://…", help="go where an invitation leads")
    parser.add_argument("--name", help="your name; without it the one you had there, else you are asked")
    parser.add_argument(
        "--host", help="the server to go to, also as host:port; without it one on this machine, started where none runs"
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="its port (default: %(default)s)")
    parser.add_argument("--share", action="store_true", help="open the server started here to the network")
    parser.add_argument(
        "--device", action="store_true", help="come in as who you are on another device: /device there shows the code"
    )
    parser.add_argument(
        "--ticket", action="store_true", help="ask for the ticket of the invitation: in the line, others could read it"
    )
    parser.add_argument(
        "--forget-key", action="store_true", help="forget the key of the server at --host: the next visit asks again"
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and end")
    options = parser.parse_intermixed_args(arguments)
    if options.join and (options.join[0] != "join" or len(options.join) != 2):
        parser.error("an invitation is given as: chat-tui join chat://HOST:PORT/KEY")
    if options.join and (options.host is not None or options.share):
        parser.error("an invitation says itself which server it is for: leave --host and --share out")
    if options.host is not None:
        options.host, port = _host(options.host)
        if port and options.port not in (port, DEFAULT_PORT):
            parser.error(f"--host says port {port}, --port says {options.port}: leave one of them out")
        options.port = port or options.port
    if options.share and options.host is not None:
        parser.error("--share opens a server started here; with --host none is started")
    if options.ticket and not options.join:
        parser.error("--ticket belongs to an invitation: chat-tui join chat://HOST:PORT/KEY --ticket")
    if options.forget_key:
        if options.host is None:
            parser.error("--forget-key needs to know whose key: the server's --host, and --port where it has another")
        return options
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        parser.exit(2, "chat-tui: this needs a terminal: standard input and output are something else\n")
    return options


class _Version(argparse.Action):
    """Say the version; the metadata is read only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"chat-tui {version('chat-tui')}\n")
        parser.exit()


def _host(text: str) -> tuple[str, int]:
    """Return a host, and the port where it is given behind it: `host:port`, `[::1]:port`; 0 for none."""
    host, colon, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536 and (bare != host or ":" not in host):
        return bare, int(port)
    return text.removeprefix("[").removesuffix("]"), 0


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def device_code(typed: str) -> str:
    """Return the code that another device shows, however its blocks were typed."""
    return "".join(typed.replace("-", "").split()).lower()


def _ask_unseen(prompt: str, without: str) -> str:
    """Ask for a secret: as an argument, others on this machine could read it."""
    import getpass

    try:
        secret = getpass.getpass(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        raise SystemExit(1) from None
    if not secret:
        raise SystemExit(f"chat-tui: {without}")
    return secret


def _forget_key(host: str, port: int) -> int:
    """Forget which key a server has."""
    from chat_tui import config
    from chat_tui.client.known import Known
    from chat_tui.errors import ClientError

    try:
        was_known = Known(config.known_path()).forget(host, port)
    except ClientError as error:
        raise SystemExit(f"chat-tui: {error.message}") from None
    if not was_known:
        sys.stdout.write(f"No key of {host}:{port} was remembered here.\n")
        return 1
    sys.stdout.write(f"The key of {host}:{port} is forgotten: the next visit asks again.\n")
    return 0


def _who(address: "Address") -> tuple[str | None, str]:
    """Return the name that one has on a server, where it is the only one; else None, and the name to offer."""
    from chat_tui import config

    names = config.load_names(config.names_path(), f"{address.host}:{address.port}")
    if len(names) == 1:
        return names[0], ""
    return None, names[0] if names else _login()


def _login() -> str:
    """Return the login name; empty where the system knows none."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
