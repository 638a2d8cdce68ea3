"""`chat-server`: the command line."""

import argparse
import asyncio
import contextlib
import difflib
import json
import logging
import logging.handlers
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

from server.archive.database import StoreError
from server.chat.limits import Limits, names
from server.config import DEFAULT_HOST, DEFAULT_PORT, Config, Sso, default_data
from server.data import DataError
from server.identity.provider import SsoError
from server.net.listener import ListenError
from server.net.tls import TlsError
from server.service import serve
from server.version import SERVER

COMMANDS: Final = ("user", "room", "invite", "ban", "set", "audit", "reports", "owner")
"""The first words of what `server.admin` does; without one of them, the server is run."""


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says: run the server, or manage one (`chat-server user list`).

    Exits with 0, with 1 where it can't start or do that, with 2 for wrong words.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        from server.admin.shell import main as manage  # not needed where a server is run

        manage(words)
        return
    if words and not words[0].startswith("-"):
        _refuse_command(words[0])
    config = _config(words)
    os.umask(0o077)  # what the server writes is its user's alone
    try:
        _log_to(config)
    except OSError as error:
        sys.exit(f"chat-server: the log file {config.log_file} can't be written: {error.strerror}.")

    def ready(host: str, port: int) -> None:
        at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        logging.getLogger("chat").info("Listening on %s", at)

    _allow_many_connections()
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(config, ready))
    except (DataError, StoreError, ListenError, TlsError, SsoError) as error:
        if config.log_file is not None:
            logging.getLogger("chat").error("%s", error)
        sys.exit(f"chat-server: {error}")
    except KeyboardInterrupt:  # before the server heeded signals
        sys.exit(130)


def _refuse_command(word: str) -> NoReturn:
    """Say which commands there are, and which one may have been meant; exits with 2."""
    close = difflib.get_close_matches(word, COMMANDS, 1)
    meant = f" Did you mean {close[0]}?" if close else ""
    sys.stderr.write(
        f"chat-server: there is no command {word!r}.{meant} Commands: {', '.join(COMMANDS)};"
        " none runs the server. chat-server COMMAND --help tells more.\n"
    )
    sys.exit(2)


def _config(arguments: list[str]) -> Config:
    parser = argparse.ArgumentParser(
        prog="chat-server",
        description="A chat for a terminal, hosted by yourself. Without one of the commands below, it runs the server.",
        epilog=f"Commands that manage a server, whether it runs or not: {', '.join(COMMANDS)}."
        " chat-server COMMAND --help tells more.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s, this machine only)")
    add("--port", type=_port, default=DEFAULT_PORT, help="port to listen on, 0 for a free one (default: %(default)s)")
    add("--data", type=Path, metavar="DIR", help=f"where messages are kept (default: {default_data()})")
    add("--tls-cert", type=Path, metavar="FILE", help="certificate of your own, PEM; SIGHUP has it read anew")
    add("--tls-key", type=Path, metavar="FILE", help="its key, PEM (default: the server makes both)")
    _sso_flags(parser)
    add("--log-format", choices=("text", "json"), default="text", help="how the log is written (default: %(default)s)")
    add("--log-file", type=Path, metavar="FILE", help="where the log goes instead of standard output")
    add("--limits", choices=("on", "off"), default="on", help="off lifts those of rate and number, for benchmarks")
    words = f"set a limit; may be given several times. There are: {', '.join(names())}. See docs/limits.md"
    add("--limit", action="append", default=[], metavar="NAME=VALUE", help=words)
    add("--hosted", action="store_true", help="end when standard input has ended and nobody is connected")
    add("--version", action="version", version=SERVER)
    given = parser.parse_args(arguments)
    try:
        limits = (Limits() if given.limits == "on" else Limits.off()).changed(given.limit)
    except ValueError as error:
        parser.exit(2, f"chat-server: {error}\n")
    if (given.tls_cert is None) is not (given.tls_key is None):
        parser.error("--tls-cert and --tls-key go together")
    return Config(
        data=given.data or default_data(),
        host=given.host,
        port=given.port,
        limits=limits,
        hosted=given.hosted,
        log_format=given.log_format,
        log_file=given.log_file,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
        sso=_sso(parser, given),
    )


def _sso_flags(parser: argparse.ArgumentParser) -> None:
    """Let people sign in by a provider: containers say so by the environment."""
    for flag, metavar, words in (
        ("--sso-issuer", "URL", "people may sign in by this OpenID Connect provider; see docs/sign-in.md"),
        ("--sso-client", "ID", "the client id that the provider has given to this server"),
        ("--sso-secret-file", "FILE", "where the client's secret is, if it has one"),
        ("--sso-name", "NAME", "how people call the provider (default: its host)"),
    ):
        variable = "CHAT_SERVER_" + flag.removeprefix("--").replace("-", "_").upper()
        default = os.environ.get(variable, "")
        parser.add_argument(flag, metavar=metavar, default=default, help=f"{words}; or {variable}")


def _sso(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Sso | None:
    if bool(given.sso_issuer) is not bool(given.sso_client):
        parser.error("--sso-issuer and --sso-client go together")
    if not given.sso_issuer:
        return None
    secret = Path(given.sso_secret_file) if given.sso_secret_file else None
    return Sso(given.sso_issuer, given.sso_client, secret, given.sso_name)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _log_to(config: Config) -> None:
    logging.raiseExceptions = False  # who reads the log may leave: the chat goes on
    # What no line shows is not looked up, as logging's documentation has it: that is a third of what a line costs.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler: logging.Handler = OnceATurn(sys.stdout)
    words = "%(message)s"
    if config.log_file is not None:
        handler = logging.handlers.RotatingFileHandler(config.log_file, maxBytes=1_000_000, backupCount=1)
        words = "%(asctime)s  %(message)s"
    handler.setFormatter(_Json() if config.log_format == "json" else logging.Formatter(words))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class OnceATurn(logging.StreamHandler[TextIO]):
    """Writes what a turn of the event loop logs when the next one begins: a crowd that comes in is a few writes.

    It keeps the lines by itself: Python itself keeps none where it was told to (PYTHONUNBUFFERED, as in containers).
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line: soon where the event loop runs in this thread, else now."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:  # as logging's own handlers do
            self.handleError(record)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another thread, or the program begins or ends
            self.flush()
        else:
            if len(self._lines) == 1:
                loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what was logged."""
        with self.lock or contextlib.nullcontext():
            lines, self._lines = self._lines, []
            with contextlib.suppress(OSError, ValueError):  # told to an event loop, it would be logged, and tried again
                self.stream.write("".join(lines))
                self.stream.flush()


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def _allow_many_connections() -> None:
    """Each connection is an open file, and systems allow few until asked."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS: no more than OPEN_MAX, whatever it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the fastest event loop there is here; None for asyncio's own."""
    try:
        if sys.platform == "win32":
            import winloop

            return winloop.new_event_loop
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
