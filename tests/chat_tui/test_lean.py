"""What the first paint is spared."""

import subprocess
import sys

import pytest
from support import PATIENCE

LATER = "import sys; from chat_tui.lean import without_widgets\nwith without_widgets():\n    "


def run(code: str) -> str:
    """Run code in a process that has loaded nothing of Textual."""
    done = subprocess.run([sys.executable, "-c", LATER + code], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_app_is_there_without_the_widgets_it_does_not_use() -> None:
    """They come with the module that names their parts: that is not loaded, and nothing is left in its place."""
    unused = {"textual.types", "textual.widgets._directory_tree", "textual.widgets._select"}
    assert run(f"import chat_tui.app\nprint({unused} & set(sys.modules))") == "set()"


@pytest.mark.parametrize("name", ["IgnoreReturnCallbackType", "NoSelection"])
def test_every_name_of_the_module_can_be_had(name: str) -> None:
    """One that is defined elsewhere, and one of a widget, for which the whole module is loaded after all."""
    code = f"from textual.types import {name} as early\nfrom textual.types import {name} as late\nprint(early is late)"
    assert run(code) == "True"


def test_a_name_that_is_not_there_is_missed_as_ever() -> None:
    """Nothing is made up."""
    assert run("from textual import types\n    print(hasattr(types, 'Nonsense'))") == "False"
