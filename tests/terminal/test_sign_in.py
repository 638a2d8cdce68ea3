"""Signing in at a provider from a real terminal: a real server, a real provider, and somebody with a browser."""

import re
from collections.abc import Callable
from typing import Any

from provider import Provider
from support import Server

Start = Callable[..., Any]
StartProvider = Callable[..., Provider]
StartServer = Callable[..., Server]
ENTER, ESCAPE, F2 = "\r", "\x1b", "\x1bOQ"


def shown_code(terminal: Any) -> str:
    """Return the code that stands on the screen."""
    screen = terminal.sees("Sign in with Lab", "and type")
    found = re.search(r"and type[\s│█▀▄]+([\w-]+)", screen)
    assert found, screen
    return found[1]


def test_an_account_by_the_provider(terminal: Start, provider: Provider, start_server: StartServer) -> None:
    """Refused there it says so and offers another code; approved one has an account, and comes back in by it."""
    server = start_server("--limits", "off", *provider.arguments)
    alice = terminal("chat_tui.cli", "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice", columns=120)
    alice.sees("alice  you")
    alice.press("/register")
    alice.sees("❯ /register")
    alice.press(ENTER)
    alice.sees("F2 signs in with Lab instead")
    alice.press(F2)
    code = shown_code(alice)
    provider.deny(code)
    alice.sees("was refused at Lab")
    alice.press(ENTER)
    alice.sees("and type", gone=code)
    provider.approve(shown_code(alice), "alice")
    alice.sees("The name alice is yours now", gone="Sign in with Lab")

    alice.press("/logout")
    alice.sees("❯ /logout")
    alice.press(ENTER)
    alice.sees("Log out?")
    alice.press("y")
    alice.sees("alice is logged out here.")
    alice.press(ENTER)
    alice.sees("alice has an account here", "F2 signs in with Lab")
    alice.press(F2)
    code = shown_code(alice)
    alice.press(ESCAPE)
    alice.sees("Password", gone="Sign in with Lab")
    alice.press(F2)
    alice.sees("and type", gone=code)
    provider.approve(shown_code(alice), "alice")
    alice.sees("Message #general", "alice  you", gone="Sign in with Lab")


def test_a_code_that_is_over_is_said(terminal: Start, start_provider: StartProvider, start_server: StartServer) -> None:
    """Nobody signed in in time: another code is a key away."""
    provider = start_provider(lifetime=2)
    server = start_server("--limits", "off", *provider.arguments)
    alice = terminal("chat_tui.cli", "--host", "127.0.0.1", "--port", str(server.port), "--name", "alice", columns=120)
    alice.sees("alice  you")
    alice.press("/register")
    alice.sees("❯ /register")
    alice.press(ENTER)
    alice.sees("F2 signs in with Lab instead")
    alice.press(F2)
    alice.sees("The code was not used in time")
    alice.press(ENTER)
    alice.sees("Sign in with Lab", gone="The code was not used in time")
    alice.press(ESCAPE)
    alice.sees("Message #general", gone="Sign in with Lab")
