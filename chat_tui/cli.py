"""The command line. Nothing heavy is imported before it is understood."""

import argparse
import gc
import os
import sys

from chat_tui.config import DEFAULT_PORT


def main(arguments: list[str] | None = None) -> int:
    """Run `chat-tui`; return its exit code."""
    # Start-up makes many objects that stay: looking through them for garbage again and again only takes time.
    gc.disable()
    options = _parse(arguments)
    # Textual reads this when it is imported. At its own 60 a second a key waits for the next picture while messages
    # pour in; the log paints no more often for it (measured at 1,000 messages a second: 3 instead of 8 ms to the echo).
    os.environ.setdefault("TEXTUAL_FPS", "240")
    code = _ask_code() if options.device else ""
    from chat_tui.app import ChatApp
    from chat_tui.state.link import Address

    own = options.host is None
    address = Address(options.host or "127.0.0.1", options.port, may_host=own, share=options.share)
    offer = _login() if options.name is None else ""
    return ChatApp(address, options.name, offer, code).run() or 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="chat-tui",
        description="A full-screen chat in the terminal. With no server at the default address it starts one.",
    )
    parser.add_argument("--name", help="your name; without it you are asked")
    parser.add_argument("--host", help="the server to go to; without it one on this machine, started where none runs")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="its port (default: %(default)s)")
    parser.add_argument("--share", action="store_true", help="open the server started here to the network")
    parser.add_argument(
        "--device", action="store_true", help="come in as who you are on another device: /device there shows the code"
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and end")
    options = parser.parse_args(arguments)
    if options.share and options.host is not None:
        parser.error("--share opens a server started here; with --host none is started")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        parser.exit(2, "chat-tui: this needs a terminal: standard input and output are something else\n")
    return options


class _Version(argparse.Action):
    """Say the version; the metadata is read only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"chat-tui {version('chat-tui')}\n")
        parser.exit()


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535")
    return int(text)


def _ask_code() -> str:
    """Ask for the code of another device, unseen: as an argument, others on this machine could read it."""
    import getpass

    try:
        code = getpass.getpass("The code that /device shows on your other device: ").strip()
    except (EOFError, KeyboardInterrupt):
        raise SystemExit(1) from None
    if not code:
        raise SystemExit("chat-tui: without a code there is nobody to come in as. Type /device on your other device.")
    return code


def _login() -> str:
    """Return the login name; empty where the system knows none."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
