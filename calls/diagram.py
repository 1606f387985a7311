"""The table of transitions as a page to read: a Mermaid picture and a row for each event.

Reads: calls/transitions.py.
Gives: the text of docs/STATES.md; `python -m calls.diagram` prints it.
Knows nothing of: files.
"""

from calls.callback import ENDS, State
from calls.transitions import rows

HEADING = """# The states of a callback

Printed from the table in `calls/transitions.py` by `python -m calls.diagram > docs/STATES.md`; a test fails
if this page differs from it. States are conditions, events are facts in the past tense. An event that is not
listed for a state cannot happen there: it is logged as an error and changes nothing.
"""
MEANINGS = {
    State.REQUESTED: "stored; nothing rings yet: the trigger's line is busy, or the due time is to come",
    State.DIALING_A: "the subscriber's phone is being rung; the leg's id was stored before",
    State.RETRY_WAIT: "a known busy or no answer, or nobody was rung; one more try at its due time",
    State.COLLECTING: "the subscriber is on the line and hears the voice",
    State.AUTHORIZING: "a destination was keyed: price, longest talk, hold and routes are being fixed",
    State.DIALING_B: "the destination's phone is being rung, route after route",
    State.TALKING: "both are bridged",
    State.RELEASING: "the end is decided; some channel is still going down",
    State.COMPLETED: "at least one destination was talked to",
    State.UNANSWERED: "the subscriber was busy, did not answer or declined",
    State.ABANDONED: "the subscriber answered, but no destination was talked to",
    State.FAILED: "it could not be done: refused, stale, no route, or the legs vanished",
    State.CANCELLED: "taken back by a person",
}


def page() -> str:
    """The whole page, ending in a newline."""
    return "\n".join([HEADING, *_meanings(), "", *_picture(), "", *_table(), ""])


def _meanings() -> list[str]:
    lines = ["| state | meaning |", "|---|---|"]
    lines += [f"| `{state}`{' (end)' if state in ENDS else ''} | {MEANINGS[state]} |" for state in State]
    return lines


def _picture() -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.REQUESTED}"]
    arrows: dict[tuple[State, State], list[str]] = {}
    for row in rows():
        for target in row.to:
            if target is not row.state:
                arrows.setdefault((row.state, target), []).append(row.event.__name__)
    lines += [f"    {was} --> {state}: {', '.join(names)}" for (was, state), names in arrows.items()]
    lines += [f"    {end} --> [*]" for end in State if end in ENDS]
    return [*lines, "```"]


def _table() -> list[str]:
    lines = ["| in state | when | then |", "|---|---|---|"]
    lines += [
        f"| `{row.state}` | {row.event.__name__} | {', '.join(f'`{state}`' for state in row.to)} |"
        for row in rows()
    ]
    return lines


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - printing is what this entry is for
