"""Which server is it? Pages about a server's key: a first visit, another key than before, how others come in."""

from textual.content import Content

from chat_tui.errors import KeyChanged, Mistrusted, NotEncrypted, NotVouchedFor, Untrusted, WrongPin
from chat_tui.screens.page import PageScreen
from chat_tui.state.link import started_by

_QUIET = "$foreground 70%"


def first_visit(stranger: Untrusted) -> PageScreen:
    """Ask whether a server is the right one; ends with `enter` for yes, with `escape` for no."""
    page = Content.assemble(
        f"\nNo key of {stranger.host}:{stranger.port} is known here, and nobody vouches for it. Its key is\n\n",
        (stranger.short, "bold $accent"),
        "\n\nWhoever runs the server sees the same key when it starts, and with /key. Ask them: if the two are the"
        " same, nobody stands in between.",
        ("\n\nYou are asked only once. If another key answers here later, you are told.\n", _QUIET),
    )
    return PageScreen("Is this the right server?", page, {"enter": "comes in", "escape": "leaves"}, alone=True)


def not_the_one(error: Mistrusted, host: str, port: int) -> PageScreen:
    """Say that what answers is not the server one knows. There is no way on from here.

    Ends with `escape`, or with `y` where the line that forgets the key is to be copied before.
    """
    where = f"{host}:{port}"
    parts: list[Content | str | tuple[str, str]] = ["\n"]
    if (compared := _keys(error)) is not None:
        known = "In the invitation" if isinstance(error, WrongPin) else "Known to you"
        parts += [(f"{known:<18}", _QUIET), (compared[0], "bold")]
        parts += [("\n" + f"{'Answers now':<18}", _QUIET), (compared[1], "bold $error"), "\n\n"]
    parts += [f"{_meaning(error)}\n\n", ("Nothing secret was sent.", "bold"), f" {_way_out(error)}"]
    keys = {"escape": "leaves"}
    if forgets(error):
        parts += [("\n\n" + forget_line(host, port), "bold"), "\n\nThe next visit asks you then."]
        keys = {"y": "copies and leaves", **keys}
    parts.append("\n")
    title = f"This is not the {where} you know"
    if isinstance(error, WrongPin):
        title = f"This is not the {where} you are invited to"
    elif isinstance(error, NotEncrypted):
        title = f"{where} is no safe place"
    return PageScreen(title, Content.assemble(*parts), keys, alone=True, bad=True)


def forgets(error: Mistrusted) -> bool:
    """Tell whether forgetting what is known of the server leads on, once it is clear that all is well."""
    return isinstance(error, KeyChanged | NotVouchedFor)


def forget_line(host: str, port: int) -> str:
    """Return how the key of a server is forgotten."""
    return f"{started_by()} --forget-key --host {host} --port {port}"


def key_page(pin: str, invitation: str, *, only_here: bool) -> PageScreen:
    """Show the key of the server one is in, and how others come in; ends with `y` where that is to be copied."""
    if pin:
        words = (pin, "bold $accent")
        meaning = "Who comes here for the first time sees the same. Read it to them, or give them the line below."
    elif only_here:
        words = ("none", "bold")
        meaning = "What is said between programs on this machine goes over no network: it needs no key."
    else:
        words = ("vouched for by an authority", "bold")
        meaning = "The server's certificate is checked like that of a web site: there is nothing to compare."
    where = " on this machine" if only_here else ""
    page = Content.assemble(
        "\n", words, f"\n\n{meaning}", f"\n\nOthers{where} come in with\n\n", (invitation, "bold"), "\n"
    )
    return PageScreen("The key of this server", page, {"y": "copies the line", "escape": "closes"}, wide=True)


def _keys(error: Mistrusted) -> tuple[str, str] | None:
    """Return what should answer and what does; None where that is no matter of keys."""
    match error:
        case KeyChanged():
            return error.known, error.now
        case WrongPin():
            return error.expected, error.now
        case NotVouchedFor():
            return "vouched for by an authority", error.why
    return None


def _meaning(error: Mistrusted) -> str:
    if isinstance(error, WrongPin):
        return "Another server answers than the one you are invited to, or a character of the line is wrong."
    if isinstance(error, KeyChanged) and error.invited:
        return (
            "The invitation you came with says the key that answers now: if it is from whoever runs the server, the"
            " server has a new key. If it is not, somebody stands between it and you and reads along."
        )
    if isinstance(error, KeyChanged):
        return "Either the server got a new key, or somebody stands between it and you and reads along."
    if isinstance(error, NotVouchedFor):
        return "Either the server's certificate is out of order, or somebody stands between it and you and reads along."
    return "What answers does not encrypt. A chat server does: it is something else, or somebody stands in between."


def _way_out(error: Mistrusted) -> str:
    if isinstance(error, WrongPin):
        return "Ask who invited you for the line once more."
    if isinstance(error, KeyChanged):
        return (
            "Ask whoever runs the server, by phone say, whether it has a new key. Only if it has, forget the old one:"
        )
    if isinstance(error, NotVouchedFor):
        return "Ask whoever runs the server, by phone say. Only if it has a key of its own now, forget what you know:"
    return "Ask whoever runs the server, and try again later."
