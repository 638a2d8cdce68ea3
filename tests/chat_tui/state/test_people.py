"""Who is online: set operations, me first."""

from chat_tui.state.people import People


def test_i_stand_first_and_the_others_follow_sorted() -> None:
    """Case makes no difference to the order."""
    people = People()
    people.roster(["Zoe", "bob"], more=True)
    assert len(people) == 0
    people.roster(["alice", "Carol"], more=False)
    assert people.ordered("bob") == ["bob", "alice", "Carol", "Zoe"]
    assert people.ordered("nobody") == ["alice", "bob", "Carol", "Zoe"]


def test_hearing_of_something_twice_changes_nothing() -> None:
    """Only what is new, or was there, is told."""
    people = People()
    assert people.add(["bob", "bob", "carol"]) == ["bob", "carol"]
    assert people.add(["bob"]) == []
    assert people.remove(["bob", "nobody"]) == ["bob"]
    assert people.rename("carol", "caro")
    assert not people.rename("carol", "x")
    assert people.ordered("") == ["caro"]


def test_users_and_who_is_away_go_with_the_names() -> None:
    """They come with a roster or by themselves, follow a new name, and leave with it."""
    people = People()
    people.roster(["bob"], True, [2], {"bob": "lunch"})
    people.roster(["carol"], False, [3])
    assert (people.users, people.away) == ({"bob": 2, "carol": 3}, {"bob": "lunch"})
    people.rename("bob", "rob")
    assert (people.users, people.away) == ({"rob": 2, "carol": 3}, {"rob": "lunch"})
    assert people.status("carol", True, "tea")
    assert not people.status("nobody", True, "tea")
    people.status("rob", False, "")
    people.add(["dave"], [4], {"dave": ""})
    assert people.away == {"carol": "tea", "dave": ""}
    people.remove(["carol"])
    assert (people.users, people.away) == ({"rob": 2, "dave": 4}, {"dave": ""})
    people.clear()
    assert (people.users, people.away) == ({}, {})


def test_of_a_crowd_a_few_are_known() -> None:
    """It has the count of all. Who moderates stands before who spoke, and those before all others."""
    people = People()
    people.roster(["ann", "bob", "carol"], True, [1, 2, 3], {}, {"carol": "moderator"})
    people.roster(["me"], False, [4], count=3000)
    assert (len(people), people.unknown) == (3000, 2996)
    assert people.ordered("me", {"bob", "carol", "gone"}) == ["me", "carol", "bob", "ann"]
    assert people.ordered("me") == ["me", "carol", "ann", "bob"]
    people.roster(["ann", "me"], False)
    assert (len(people), people.unknown) == (2, 0)
    people.roster(["ann", "me"], False, count=1)
    assert people.unknown == 0, "who has just come in may not be counted yet"
    people.clear()
    assert len(people) == 0
