"""A list that the server has, on a screen without one."""

from collections.abc import Sequence

from textual.app import App
from textual.content import Content

from chat_tui.client import ClientError
from chat_tui.screens.listing import Deed, ListScreen, Row
from chat_tui.widgets.choices import Choices

Ended = tuple[str, str] | None


class Things:
    """Things that can be taken out of a list, which comes in parts of three."""

    def __init__(self, count: int) -> None:
        self.all = [str(number) for number in range(count)]
        self.asked: list[str] = []
        self.trouble = ""

    async def load(self, last: str) -> tuple[Sequence[Row], bool]:
        """Return the three after the last one."""
        self.asked.append(last)
        if self.trouble:
            raise ClientError(self.trouble)
        at = self.all.index(last) + 1 if last else 0
        return [Row(id, Content(f"thing {id}")) for id in self.all[at : at + 3]], at + 3 < len(self.all)

    async def take(self, id: str) -> str:
        """Take one out."""
        if self.trouble:
            raise ClientError(self.trouble)
        self.all.remove(id)
        return f"{id} is gone."

    def screen(self) -> ListScreen:
        """Return the list."""
        deeds = {
            "enter": Deed("opens it"),
            "d": Deed("takes it", self.take, lambda id: "" if id == "1" else f"Take {id}?"),
        }
        return ListScreen("Things", self.load, none="There is nothing.", deeds=deeds)


class Bare(App[None]):
    """Shows a list, and keeps what it ended with."""

    ended: list[Ended]

    def show(self, screen: ListScreen) -> None:
        """Show it."""
        self.ended = []
        self.push_screen(screen, self.ended.append)


def state(screen: ListScreen) -> str:
    """Return what the list says below itself."""
    return str(screen._state.render()) if screen._state.display else ""


async def test_a_long_list_comes_as_one_walks_it() -> None:
    """Nothing is asked for before somebody gets there, and each part once."""
    things = Things(8)
    app = Bare()
    async with app.run_test() as pilot:
        screen = things.screen()
        app.show(screen)
        await pilot.pause()
        assert (things.asked, state(screen)) == ([""], "")
        await pilot.press("down", "j")
        await pilot.pause()
        assert things.asked == ["", "2"]
        await pilot.press("k", "end")
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        assert screen.query_one(Choices).option_count == 8
        await pilot.press("home", "end")
        await pilot.pause()
        assert things.asked == ["", "2", "5"]
        await pilot.press("enter")
        await pilot.pause()
        assert app.ended == [("enter", "7")]


async def test_what_means_much_is_asked_once() -> None:
    """Another row, or Escape, and it is not done; what means little is done at once."""
    things = Things(3)
    app = Bare()
    async with app.run_test() as pilot:
        screen = things.screen()
        app.show(screen)
        await pilot.pause()
        await pilot.press("d")
        assert state(screen) == "Take 0? y does it, Esc does not."
        assert screen._keys.display
        await pilot.press("escape", "y", "d", "down", "up", "y", "d", "d", "escape")
        assert things.all == ["0", "1", "2"]
        await pilot.press("down", "d")
        await pilot.pause()
        assert (things.all, state(screen)) == (["0", "2"], "1 is gone.")
        await pilot.press("d", "y")
        await pilot.pause()
        await pilot.press("d", "y")
        await pilot.pause()
        assert (things.all, state(screen)) == ([], "0 is gone. There is nothing.")
        assert not screen._keys.display
        await pilot.press("d", "enter", "escape")
        await pilot.pause()
        assert app.ended == [None]


async def test_what_goes_wrong_is_said() -> None:
    """Below the list, which stays as it is."""
    things = Things(2)
    app = Bare()
    async with app.run_test() as pilot:
        screen = things.screen()
        app.show(screen)
        await pilot.pause()
        things.trouble = "Only moderators may."
        await pilot.press("d", "y")
        await pilot.pause()
        assert state(screen) == "Only moderators may."
        assert screen.query_one(Choices).option_count == 2
        await pilot.press("escape")
        app.show(things.screen())
        await pilot.pause()
        assert isinstance(app.screen, ListScreen)
        assert state(app.screen) == "Only moderators may."
