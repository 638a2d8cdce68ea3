"""What becomes of figures: rows with goals, and their places in the page."""

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.fanout import rows
from benchmarks.growth import Growth, Sample
from benchmarks.report import Part
from benchmarks.rows import Row

PAGE = """before

<!-- crowds: benchmarks/run.py crowds --write -->

what stood here
<!-- end of crowds -->

<!-- history: benchmarks/run.py history --write -->

what stands here
<!-- end of history -->
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a page with the places of two parts."""
    monkeypatch.setattr(report, "DOCS", tmp_path)
    page = tmp_path / "performance.md"
    page.write_text(PAGE, encoding="utf-8")
    return page


def test_a_part_is_written_and_the_others_stay(page: Path) -> None:
    """Parts are measured one after another; again, what is new replaces what was there."""
    for seconds in (1, 2):
        part = Part("crowds", [Row("coming in", seconds, "s", goal="<= 1")], {"date": "today"}, notes=["a note"])
        report.write(part)
    text = page.read_text(encoding="utf-8")
    assert "what stood here" not in text
    assert "1.00 s" not in text
    assert "date today" in text
    assert "2.00 s" in text
    assert "**no**" in text
    assert "- a note" in text
    assert text.startswith("before\n")
    assert text.endswith(PAGE[PAGE.index("<!-- end of crowds") :])


def test_a_part_without_a_place_is_refused(page: Path) -> None:
    """Figures are not lost silently."""
    with pytest.raises(SystemExit, match="no place"):
        report.write(Part("fanout"))
    assert page.read_text(encoding="utf-8") == PAGE


def test_the_page_has_a_place_for_each_part() -> None:
    """So that `--write` fails for none, after minutes of measuring."""
    text = (Path(report.__file__).parents[1] / "docs" / "performance.md").read_text(encoding="utf-8")
    for name in ("fanout", "crowds", "terminal", "history", "growth"):
        assert f"<!-- {name}: benchmarks/run.py {name} --write -->" in text
        assert f"<!-- end of {name} -->" in text


def test_a_peer_that_never_let_all_in_is_named() -> None:
    """A row says so: it is neither left out nor compared; where only a turn is missing, neighbours are compared."""
    ours = [{"settled": seconds, "turn": turn} for turn, seconds in enumerate((1.0, 2.0, 9.0))]
    there = [{"settled": seconds, "turn": turn} for turn, seconds in ((0, 2.0), (2, 9.0))]
    _, inspircd, ngircd = rows({"entry": {"chat-server": ours, "inspircd": there, "ngircd": []}})
    assert inspircd.ratio == 0.75
    assert inspircd.met
    assert "ngircd" in ngircd.beside
    assert ngircd.met is None


@pytest.mark.parametrize(("each", "met"), [(0.0, True), (1.0, False)])
def test_memory_that_grows_is_told(each: float, met: bool) -> None:
    """A megabyte at each look is too much; what was done before the first look does not count."""
    samples = [Sample(n, 100 + each * n, (70 + n) * 10_000, (70 + n) * 1000) for n in range(101)]
    total, per_message, per_connection = Growth(50, samples).rows()
    assert total.met is met
    assert per_message.ours == pytest.approx(each * 100)
    assert per_connection.ours == pytest.approx(each * 100)


@pytest.mark.parametrize(("index", "visits", "full"), [(50, 9000, True), (20, 9000, False), (50, 900, False)])
def test_a_measure_that_began_too_early_says_so(index: float, visits: int, full: bool) -> None:
    """Where the index had not outgrown what is kept of it, or not all had been there."""
    _, before = Growth(index, [Sample(n, 100, n, visits + n) for n in range(2)]).notes()
    assert ("not full yet" in before) is not full
