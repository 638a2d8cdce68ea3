"""Painting what a key has changed before it is told to anyone."""

from textual.widget import Widget


def paint(widget: Widget) -> None:
    """Paint a widget that is to be drawn anew.

    Textual does it when nobody has anything left to do: an echo waits for all that its key leads to. This uses what is
    Textual's own; where that is another, or the layout changes too, the widget is painted a little later, as any other.
    """
    screen = widget.screen
    update, dirty = getattr(screen, "_on_timer_update", None), getattr(screen, "_dirty_widgets", None)
    if not callable(update) or not isinstance(dirty, set) or _moves(widget) or _moves(screen):
        return
    if screen.is_current:
        dirty.add(widget)
        widget._repaint_required = False
        update()


def _moves(widget: Widget) -> bool:
    return any(getattr(widget, name, True) for name in ("_layout_required", "_scroll_required"))
