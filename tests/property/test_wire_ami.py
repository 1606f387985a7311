"""AMI: chunking does not matter, encoding is exact, hostile bytes only ever refuse."""

from asterisk_rules import ami_actions
from hypothesis import example, given
from hypothesis import strategies as st

from wire.ami import AmiDecoder, OriginateVariable, encode_action
from wire.errors import LocalProtocolError, RemoteProtocolError

TEXT = st.text(alphabet=st.one_of(st.sampled_from(' ,:=;"\\\r\n\0\x7f$()'), st.characters()), max_size=40)
NAMES = st.one_of(st.sampled_from(["Channel", "channel", "Action", "Variable", "ActionID", "Context"]), TEXT)
VALUES = st.one_of(
    st.text(alphabet="a,", max_size=6), st.from_regex(r"[A-Za-z0-9_.:+-]{0,30}", fullmatch=True), TEXT
)
BLOCKS = st.sampled_from(
    [
        b"Event: Hangup\r\nCause: 16\r\n\r\n",
        b"Event: VarSet\r\nValue: a\nb\r\n\r\n",
        b"Response: Success\r\nActionID: 1\r\nOutput: a\r\nOutput: \r\n\r\n",
        b"Event: Item\r\nPrivilege: x\r\nActionID: 1\r\n\r\n",
        b"no colon\r\n\r\n",
        b"\r\n",
        b"\xff\xfe\0: \r\n\r\n",
        b"\n\r\n\r\r\n",
    ]
)


def outcome(chunks: list[bytes]) -> tuple[list[object], bool]:
    """What a decoder gives for these chunks, and whether it refuses."""
    decoder = AmiDecoder({"Hangup"})
    found: list[object] = []
    for chunk in chunks:
        try:
            found += decoder.feed(chunk)
        except RemoteProtocolError:
            return found, True
    return found, False


@given(blocks=st.lists(BLOCKS, max_size=8), size=st.integers(1, 50))
def test_any_chunking_gives_the_same_messages(blocks: list[bytes], size: int) -> None:
    data = b"Asterisk Call Manager/13.0.0\r\n" + b"".join(blocks)
    assert outcome([data[at : at + size] for at in range(0, len(data), size)]) == outcome([data])


@given(chunks=st.lists(st.binary(max_size=400), max_size=20))
def test_hostile_bytes_are_refused_or_read_and_nothing_else(chunks: list[bytes]) -> None:
    outcome(chunks)
    outcome([b"Asterisk Call Manager/13.0.0\r\n", *chunks])


@given(
    name=st.one_of(st.just("Originate"), TEXT),
    headers=st.one_of(st.just({}), st.dictionaries(NAMES, TEXT, max_size=6)),
    variables=st.one_of(
        st.dictionaries(st.sampled_from(list(OriginateVariable)), VALUES, max_size=4),
        st.dictionaries(TEXT, VALUES, max_size=2),
    ),
)
@example(
    name="Originate", headers={"Channel": "PJSIP/44@a", "Exten": ""}, variables={"DIALBACK_LEG": "cb1-a1"}
)
@example(name="Originate", headers={}, variables={"DIALBACK_LEG": "a,b"})
def test_T21_asterisk_reads_exactly_what_was_meant_or_nothing_is_sent(
    name: str, headers: dict[str, str], variables: dict[str, str]
) -> None:
    try:
        data = encode_action(name, headers, variables)
    except LocalProtocolError:
        return
    (action,) = ami_actions(data)
    assert len(action.lines) == 1 + len(headers) + len(variables)
    assert action.header("Action") == name
    assert {header: action.header(header) for header in headers} == headers
    assert action.variables() == variables
