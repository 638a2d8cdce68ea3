"""What can be typed after a slash: one table, and what a line of input means."""

from typing import NamedTuple


class Command(NamedTuple):
    """A slash command."""

    name: str
    """Without the slash."""
    args: str
    """What follows it, for people; empty for nothing."""
    help: str
    short: str
    """`help` where there is little room: at most 24 cells."""
    action: str
    """The name of the method that does it, without `command_`."""


COMMANDS = (
    Command("help", "", "keys and commands", "keys and commands", "help"),
    Command("me", "what you do", "say it as an action: * alice waves", "say it as an action", "me"),
    Command("nick", "new name", "take another name", "take another name", "nick"),
    Command("who", "", "who is here", "who is here", "who"),
    Command("say", "text", "send it as it stands, even exit or /help", "send it as it stands", "say"),
    Command("clear", "", "empty the view; PgUp brings it back", "empty the view", "clear"),
    Command("quit", "", "leave; exit alone does it, too", "leave", "quit"),
)

BY_NAME = {command.name: command for command in COMMANDS}


class Say(NamedTuple):
    """A message to send."""

    text: str
    me: bool = False


class Call(NamedTuple):
    """A command to run."""

    command: Command
    argument: str


class Complaint(NamedTuple):
    """Nothing to do, and why: the line is not sent."""

    text: str


def read(line: str) -> Say | Call | Complaint | None:
    """Return what a line of input asks for; None for an empty one."""
    if not line.strip():
        return None
    if line.strip() == "exit":
        return Call(BY_NAME["quit"], "")
    if line.startswith("//"):
        return Say(line[1:])
    if not line.startswith("/"):
        return Say(line)
    name, argument = _split(line)
    command = BY_NAME.get(name.casefold())
    if command is None:
        return Complaint(_unknown(name))
    if command.args and not argument:
        return Complaint(f"/{command.name} needs something after it: /{command.name} {command.args}")
    if command.name == "say":
        return Say(argument)
    if command.name == "me":
        return Say(argument, me=True)
    return Call(command, argument)


def suggest(line: str) -> list[Command]:
    """Return the commands that a line may become while its name is written; none else."""
    if not line.startswith("/") or line.startswith("//") or any(space in line for space in " \n"):
        return []
    return [command for command in COMMANDS if command.name.startswith(line[1:].casefold())]


def _split(line: str) -> tuple[str, str]:
    """Return the name and what follows it, up to the end and over all lines."""
    parts = line[1:].split(None, 1)
    if not parts or line[1:2].isspace():
        return "", line[1:].strip()
    return parts[0], parts[1].strip() if len(parts) > 1 else ""


def _unknown(name: str) -> str:
    """Say that there is no such command, and which may be meant."""
    from difflib import get_close_matches  # seldom needed, and not at the start

    near = get_close_matches(name.casefold(), list(BY_NAME), n=1, cutoff=0.5)
    meant = f"Did you mean /{near[0]}?" if near else "F1 shows all."
    return f"There is no command /{name}. {meant} To send a line that starts with /, write //."
