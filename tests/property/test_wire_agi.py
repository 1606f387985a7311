"""AGI: chunking does not matter, quoting is exact, hostile bytes only ever refuse."""

from itertools import pairwise

from asterisk_rules import agi_words
from hypothesis import example, given
from hypothesis import strategies as st

from wire.agi import AgiDecoder, encode_command
from wire.errors import LocalProtocolError, RemoteProtocolError

HOSTILE_TEXT = st.text(
    alphabet=st.one_of(st.sampled_from("\"\\ \t\n\r\0&,${}[]()=:;|'`^%#*"), st.characters())
)
LINES = st.sampled_from(
    [
        b"agi_network: yes",
        b"agi_uniqueid: cb1-a1",
        b"agi_uniqueid: other",
        b"",
        b"200 result=0",
        b"200 result=1 (a) b=c (d)",
        b"200 result= (timeout)",
        b"100 result=0 Trying...",
        b"510 Invalid or unknown command",
        b"520-usage",
        b"text",
        b"520 End",
        b"HANGUP",
        b"\xff\0",
        b"x" * 9_000,
    ]
)


def outcome(chunks: list[bytes]) -> tuple[list[object], bool]:
    """What a decoder gives for these chunks before it refuses, and whether it refuses."""
    decoder = AgiDecoder()
    events: list[object] = []
    for chunk in chunks:
        try:
            events += decoder.feed(chunk)
        except RemoteProtocolError:
            return events, True
    return events, False


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(lines=st.lists(LINES, max_size=12), places=st.lists(st.integers(0, 20_000), max_size=12))
@example(lines=[b"agi_network: yes", b"", b"200 result=0", b"HANGUP"], places=list(range(60)))
def test_any_chunking_of_a_conversation_gives_the_same_values(lines: list[bytes], places: list[int]) -> None:
    data = b"agi_network: yes\n" + b"\n".join(lines) + b"\n"
    one_by_one = outcome([bytes([byte]) for byte in data])
    pieces = outcome(cut(data, places))
    whole = outcome([data])
    assert one_by_one[1] == pieces[1] == whole[1]
    if not whole[1]:
        assert one_by_one[0] == pieces[0] == whole[0]
    else:  # what came in the chunk that is refused may be lost with it; what was given is the same
        assert one_by_one[0][: len(pieces[0])] == pieces[0]


@given(chunks=st.lists(st.binary(max_size=400), max_size=20))
def test_hostile_bytes_are_refused_or_read_and_nothing_else(chunks: list[bytes]) -> None:
    outcome(chunks)
    outcome([b"agi_network: yes\n\n", *chunks])


@given(parts=st.lists(HOSTILE_TEXT, min_size=1, max_size=8))
@example(parts=["SET", "VARIABLE", 'a\\"', "\\", '"', "", " "])
@example(parts=["", "", ""])
@example(parts=["FAILURE"])
def test_T22_asterisk_reads_exactly_the_words_meant_or_nothing_is_sent(parts: list[str]) -> None:
    try:
        line = encode_command(*parts)
    except LocalProtocolError:
        return
    assert agi_words(line) == [parts]
