"""The phones' log as a reader sees it."""

from pathlib import Path

import pytest

from demo.phonelog import first_key, presses, presses_first, read_log, sentence
from world.scripts import Call, compile_script


def row(kind: str, at: str, call: str = "w.1", extra: str = "") -> str:
    quoted = '{""extra"":""' + extra + '""}'
    return f'"{kind}","{at}","{kind}","PJSIP/alpha-1","{call}","","{quoted}"\n'


INVITED = row("INVITED", "10.000001", extra="carrier=alpha&number=61255500123")


def test_entries_carry_the_number_that_was_called_and_the_exact_time() -> None:
    _, rang, answered = read_log(INVITED + row("RANG", "10.5") + row("ANSWER", "12.000250"))
    assert rang.number == answered.number == "+61255500123"
    assert answered.at.isoformat() == "1970-01-01T00:00:12.000250+00:00"
    assert [sentence(entry) for entry in (rang, answered)] == ["rings", "is picked up"]


def test_what_a_phone_tells_is_its_own_sentence() -> None:
    (_, told) = read_log(INVITED + row("TOLD", "11.0", extra="keys 0061#"))
    assert sentence(told) == "keys 0061#"


def test_half_a_last_line_and_calls_before_their_invitation_are_left_out() -> None:
    assert read_log(row("CHAN_START", "9.0") + INVITED + row("RANG", "10.5")[:20]) == read_log(INVITED)


def test_lines_that_a_reader_would_not_notice_say_nothing() -> None:
    entries = read_log(INVITED + row("KEYDOWN", "11.0") + row("CHAN_END", "12.0"))
    assert [sentence(entry) for entry in entries] == ["", "", ""]


def test_the_first_key_lies_between_its_two_marks() -> None:
    log = INVITED + row("KEYDOWN", "11.0") + row("KEYUP", "11.25") + row("KEYDOWN", "11.0", call="w.2")
    ((call, (down, up)),) = first_key(read_log(log)).items()
    assert (call, (up - down).total_seconds()) == ("w.1", 0.25)


def test_every_key_of_a_marked_entry_is_pressed_once(tmp_path: Path) -> None:
    call = Call(recordings=tmp_path)
    lines = compile_script(presses_first("0061#", after=2), call)
    assert [line for line in lines if line.startswith("SendDTMF")] == [
        "SendDTMF(0,50,100)",
        "SendDTMF(061#,100,100)",
    ]
    assert lines.index("CELGenUserEvent(KEYDOWN)") + 1 == lines.index("SendDTMF(0,50,100)")


def test_a_comma_would_cut_the_sentence_so_it_is_refused() -> None:
    with pytest.raises(AssertionError):
        presses("1", after=0, told="one, two")
