"""Input history and completion."""

from chat_tui.state.recall import Completion, InputHistory, Offer, Offers


def test_up_and_down_walk_through_what_was_sent_and_end_at_the_draft() -> None:
    """The draft is kept while one looks back."""
    history = InputHistory()
    assert history.up("draft") is None
    for line in ("one", "two", "two"):
        history.add(line)
    assert history.up("draft") == "two"
    assert history.up("two") == "one"
    assert history.up("one") is None
    assert history.down() == "two"
    assert history.down() == "draft"
    assert history.down() is None


def of_names(text: str, cursor: int) -> Offers:
    """Three names that a word may become."""
    start = text.rfind(" ", 0, cursor) + 1
    names = [name for name in ("bob", "Bea", "carol") if name.casefold().startswith(text[start:cursor])]
    return Offers(start, tuple(Offer(name + " ", name) for name in names), floats=True)


def test_asking_again_gives_the_next_offer() -> None:
    """Either way round, and what stands after the cursor stays."""
    completion = Completion()
    first = completion.next("b", 1, of_names)
    assert first == ("bob ", 4)
    second = completion.next(*first, of_names)
    assert second == ("Bea ", 4)
    assert completion.next(*second, of_names, step=-1) == ("bob ", 4)
    assert Completion().next("hi b, you", 4, of_names, step=-1) == ("hi Bea , you", 7)
    assert Completion().next("x", 1, of_names) is None


def test_the_list_says_which_offer_stands_in_the_text() -> None:
    """While they are gone through; what is written on makes new ones."""
    completion = Completion()
    shown, chosen = completion.shown("b", 1, of_names)
    assert ([offer.shown for offer in shown], chosen) == (["bob", "Bea"], -1)
    put = completion.next("b", 1, of_names)
    assert put is not None
    assert completion.shown(*put, of_names)[1] == 0
    assert completion.shown("c", 1, of_names) == ((Offer("carol ", "carol"),), -1)


def test_the_only_offer_is_taken() -> None:
    """The next Tab completes what comes after it."""
    completion = Completion()
    assert completion.next("c", 1, of_names) == ("carol ", 6)
    assert not completion.going_on("carol ", 6)


def test_what_is_known_later_is_offered_beside_what_was_put() -> None:
    """It stays where it stands, and the next Tab gives another; once something else is written nothing is done."""
    known = ["bob"]

    def of_known(text: str, cursor: int) -> Offers:
        names = [name for name in known if name.startswith(text[:cursor])]
        return Offers(0, tuple(Offer(name + ": ", name) for name in names), floats=False)

    completion = Completion()
    put = completion.next("b", 1, of_known)
    assert put == ("bob: ", 5)
    known[:] = ["bea", "bob", "bobby"]
    assert completion.again("bob: hi", 7, of_known) is None
    assert not completion.going_on(*put)
    assert completion.again(*put, of_known) is None
    assert completion.shown(*put, of_known) == (of_known("b", 1).offers, 1)
    assert completion.next(*put, of_known) == ("bobby: ", 7)


def test_what_nothing_fitted_is_completed_later() -> None:
    """Where it still stands as it did; never where nobody asked for that."""
    completion = Completion()
    assert completion.again("c", 1, of_names) is None
    assert completion.next("c", 1, lambda _text, _cursor: Offers(0, (), floats=True)) is None
    assert completion.again("c and", 5, of_names) is None
    assert completion.again("c", 1, of_names) == ("carol ", 6)
