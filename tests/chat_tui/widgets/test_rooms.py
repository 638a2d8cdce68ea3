"""The sidebars: what a row says, and that nothing else is drawn again."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from chat_tui.state.people import People
from chat_tui.state.rooms import Room
from chat_tui.widgets.people import PeopleBar
from chat_tui.widgets.rooms import RoomsBar, mark_of, row_of
from server.protocol.frames import RoomInfo


def room(handle: str = "dev", *, here: dict[str, str | None] | None = None, **info: Any) -> Room:
    """A room as the server told of it; `here` says who is online, and for what they are away."""
    one = Room(handle)
    one.told(RoomInfo(room=handle, title=info.pop("title", handle), last=90, **info), 100)
    online = here or {}
    one.people.roster(list(online), False, (), {name: why for name, why in online.items() if why is not None})
    return one


def direct(*names: str) -> dict[str, Any]:
    """A room of mine and these."""
    return {"kind": "direct", "people": list(enumerate(("me", *names), 1))}


@pytest.mark.parametrize(
    ("info", "mark", "label", "news", "loud", "quiet"),
    [
        ({}, "#", "dev", "", False, False),
        ({"title": "The workshop"}, "#", "The workshop", "", False, False),
        ({"count": 3}, "#", "dev", "3", True, False),
        ({"count": 1000}, "#", "dev", "999+", True, False),
        ({"count": 3, "mentions": 1}, "#", "dev", "@1", True, False),
        ({"count": 3, "level": "mentions"}, "#", "dev", "3", False, False),
        ({"count": 3, "muted": True}, "#", "dev", "", False, True),
        ({"count": 3, "mentions": 1, "muted": True}, "#", "dev", "", False, True),
        ({"count": 3, "mentions": 1, "level": "none"}, "#", "dev", "", False, False),
        ({"archived": True}, "#", "dev", "", False, True),
        ({"member": False, "invited_by": "bob"}, "+", "dev", "invited", True, False),
        ({**direct("bob"), "count": 2}, "·", "bob", "@2", True, False),
        (direct("bob", "carol"), "&", "bob, carol", "", False, False),
    ],
)
def test_what_a_row_says(info: dict[str, Any], mark: str, label: str, news: str, loud: bool, quiet: bool) -> None:
    """What kind of room it is, what it is called, how much is new, and how much that matters."""
    row = row_of(room(**info), "me")
    assert (row.mark, row.label, row.news, row.loud, row.quiet) == (mark, label, news, loud, quiet)


@pytest.mark.parametrize(("here", "mark"), [({}, "·"), ({"bob": None}, "●"), ({"bob": ""}, "○")])
def test_how_someone_stands(here: dict[str, str | None], mark: str) -> None:
    """Told apart without colours."""
    assert mark_of(room(here=here, **direct("bob")), "me") == mark


class Bars(App[None]):
    """Both sidebars."""

    CSS = "RoomsBar, PeopleBar { width: 22; height: 1fr; } Screen { layout: horizontal; }"

    def __init__(self) -> None:
        super().__init__()
        self.rooms_bar, self.people_bar = RoomsBar(), PeopleBar()

    def compose(self) -> ComposeResult:
        """Stand side by side."""
        yield self.rooms_bar
        yield self.people_bar


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], list[Region]]:
    """Record what a widget has drawn again."""

    def watch(widget: Any) -> list[Region]:
        regions: list[Region] = []
        refresh = widget.refresh

        def record(*asked: Region, **options: Any) -> Any:
            regions.extend(asked or [widget.size.region])
            assert not options.get("layout")
            return refresh(*asked, **options)

        monkeypatch.setattr(widget, "refresh", record)
        return regions

    return watch


async def test_only_the_row_that_changed_is_drawn_again(drawn: Callable[[Any], list[Region]]) -> None:
    """Nothing flickers, and nothing is laid out anew."""
    app = Bars()
    async with app.run_test(size=(60, 20)) as pilot:
        rooms = [room(name) for name in ("ant", "bee", "cow")]
        app.rooms_bar.update(rooms, rooms[0], "me")
        await pilot.pause()
        regions = drawn(app.rooms_bar)
        app.rooms_bar.update(rooms, rooms[0], "me")
        assert regions == []
        rooms[1].marks.heard(200, False)
        app.rooms_bar.update(rooms, rooms[0], "me")
        assert regions == [Region(0, 4, 22, 1)]
        regions.clear()
        app.rooms_bar.update(rooms, rooms[2], "me")
        assert regions == [Region(0, 3, 22, 1), Region(0, 5, 22, 1)]


async def test_more_rooms_than_rows_can_be_walked_and_scrolled(drawn: Callable[[Any], list[Region]]) -> None:
    """The current one is always seen, and how many are not."""
    app = Bars()
    async with app.run_test(size=(60, 10)) as pilot:
        rooms = [room(f"room{number}") for number in range(20)]
        for number in (0, 19, 10, 0):
            app.rooms_bar.update(rooms, rooms[number], "me")
            await pilot.pause()
            seen = "\n".join(app.rooms_bar.render_line(y).text for y in range(10))
            assert f"▌ # room{number} " in seen
        assert "and 14 more ↓" in seen


async def test_people_say_how_they_are() -> None:
    """Away with a text, writing, and me first; a long name is cut last."""
    app = Bars()
    async with app.run_test(size=(60, 10)) as pilot:
        people = People()
        people.roster(["me", "bob", "a_name_that_is_rather_long"], False, (), {"bob": "lunch with carol", "me": ""})
        app.people_bar.update(people, "me", ["a_name_that_is_rather_long"])
        await pilot.pause()
        rows = [app.people_bar.render_line(y).text.rstrip() for y in range(6)]
        assert rows[1] == "  Online · 3"
        assert rows[3:] == ["  me  you · away", "  a_name_th…  writing", "  bob  lunch with ca…"]


async def test_who_moderates_stands_first_and_is_marked() -> None:
    """The word for it is left out where there is no room, before anything is cut."""
    app = Bars()
    async with app.run_test(size=(60, 10)) as pilot:
        people = People()
        people.roster(["ann", "me", "bob", "eva"], False, (), {"eva": "out"}, {"me": "owner", "bob": "admin"})
        people.roles["eva"] = "moderator"
        app.people_bar.update(people, "me")
        await pilot.pause()
        rows = [app.people_bar.render_line(y).text.rstrip() for y in range(7)]
        assert rows[3:] == ["✦ me  you · owner", "✦ bob  admin", "✦ eva  out", "  ann"]
        people.rename("me", "me_and_others")
        app.people_bar.update(people, "me_and_others")
        await pilot.pause()
        assert app.people_bar.render_line(3).text.rstrip() == "✦ me_and_others  you"


@pytest.mark.parametrize("known", [3, 30])
async def test_of_a_crowd_the_last_line_counts_the_rest(known: int) -> None:
    """Below those who are known, or at the bottom; it stays there while one scrolls. A click on it asks for them."""
    names = [f"a{number}" for number in range(known)]
    people = People()
    people.roster(sorted(names), False, count=10_000)

    class Bare(App[None]):
        asked = 0

        def compose(self) -> ComposeResult:
            yield PeopleBar()

        def on_people_bar_wanted(self) -> None:
            self.asked += 1

    app = Bare()
    async with app.run_test(size=(30, 9)) as pilot:
        bar = app.query_one(PeopleBar)
        bar.update(people, "")
        await pilot.pause()

        def seen() -> list[str]:
            return [text for y in range(3, 9) if (text := bar.render_line(y).text.strip())]

        first = 3 if known == 3 else 5
        assert seen()[:first] == sorted(names)[:first]
        assert seen()[first:] == [f"{10_000 - first:,} more"]
        assert bar.row_at(3 + first) is None
        await pilot.click(PeopleBar, offset=(4, 3))
        assert app.asked == 0
        await pilot.click(PeopleBar, offset=(4, 3 + first))
        assert app.asked == 1
        for _ in range(20):
            bar._scroll(3)
        assert seen()[-1] == f"{10_000 - known:,} more"
        assert seen()[-2] == sorted(names)[-1]
        people.count = 9_999
        bar.update(people, "")
        assert seen()[-1] == f"{9_999 - known:,} more"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((5, 20), (4, 19)),
        ((4, 19), (5, 20)),
        ((5, 20), (5, 21)),
        ((5, 20), (4, 4)),
        ((4, 4), (5, 20)),
        ((12, 20), (5, 20)),
    ],
)
async def test_no_line_of_a_crowd_stays_as_it_was(
    drawn: Callable[[Any], list[Region]], before: tuple[int, int], after: tuple[int, int]
) -> None:
    """Whoever known or unknown comes or goes: each line that looks other than before is drawn again."""
    people = People()

    def know(known: int, count: int) -> list[str]:
        people.roster([f"a{number:02}" for number in range(known)], False, count=count if count > known else 0)
        app.people_bar.update(people, "")
        return [app.people_bar.render_line(y).text for y in range(14)]

    app = Bars()
    async with app.run_test(size=(60, 14)) as pilot:
        seen = know(*before)
        await pilot.pause()
        regions = drawn(app.people_bar)
        now = know(*after)
        stale = [y for y in range(14) if now[y] != seen[y] and not any(region.contains(0, y) for region in regions)]
        assert stale == []
