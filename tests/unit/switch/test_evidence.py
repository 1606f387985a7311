"""What the CEL file proves of a leg, and what no damage to it can do."""

from pathlib import Path

import pytest
from sample_callbacks import A1, B1

from pbx.configuration import CEL_COLUMNS as WRITTEN_COLUMNS
from switch import evidence
from switch.evidence import CEL_COLUMNS, LegEvidence, evidence_of, last_instant
from switch.legs import micros_to_utc

B_UNIQUE_ID = "main-1777896031.2"
EXTRA = '{"hangupcause":%d,"hangupsource":"PJSIP/alpha-00000001","dialstatus":""}'


def line(kind: str, at: str, unique_id: str, account: str, extra: str = "") -> str:
    """One line as cel_custom writes it: all quoted, a quote within doubled."""
    fields = (kind, at, unique_id, A1, account, "PJSIP/alpha-00000001", "s", "dialback-ivr", "", extra)
    return ",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n"


WHOLE = [
    line("CHAN_START", "1777896008.000001", A1, A1),
    line("ANSWER", "1777896015.000200", A1, A1),
    line("CHAN_START", "1777896025.100000", B_UNIQUE_ID, A1),
    line("ANSWER", "1777896031.448123", B_UNIQUE_ID, B1),
    line(
        "BRIDGE_ENTER", "1777896031.449000", A1, A1, '{"bridge_id":"1","bridge_technology":"simple_bridge"}'
    ),
    line("HANGUP", "1777896036.896124", B_UNIQUE_ID, B1, EXTRA % 16),
    line("CHAN_END", "1777896036.896200", B_UNIQUE_ID, B1),
    line("HANGUP", "1777896060.000400", A1, A1, EXTRA % 16),
    line("LINKEDID_END", "1777896060.000500", A1, A1),
]
LEG_A = LegEvidence(
    leg_id=A1,
    answered_at=micros_to_utc("1777896015.000200"),
    hung_up_at=micros_to_utc("1777896060.000400"),
    q850_cause=16,
)
LEG_B = LegEvidence(
    leg_id=B1,
    answered_at=micros_to_utc("1777896031.448123"),
    hung_up_at=micros_to_utc("1777896036.896124"),
    q850_cause=16,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dialback.csv"


def written(path: Path, *lines: str | bytes) -> Path:
    path.write_bytes(b"".join(text if isinstance(text, bytes) else text.encode() for text in lines))
    return path


def test_the_columns_read_are_the_columns_written() -> None:
    assert CEL_COLUMNS == WRITTEN_COLUMNS


def test_F134_answer_and_hang_up_of_both_legs_are_exact_to_the_microsecond(path: Path) -> None:
    assert evidence_of(written(path, *WHOLE), [A1, B1]) == {A1: LEG_A, B1: LEG_B}


def test_only_the_legs_asked_for_are_told(path: Path) -> None:
    assert evidence_of(written(path, *WHOLE), [B1]) == {B1: LEG_B}
    assert evidence_of(path, ["cb99-a1"]) == {}


def test_a_B_channel_that_still_carries_As_account_code_proves_nothing_of_A(path: Path) -> None:
    rows = [line("HANGUP", "1777896026.000001", B_UNIQUE_ID, A1, EXTRA % 34)]
    assert evidence_of(written(path, *rows), [A1, B1]) == {}


def test_a_missing_or_empty_file_proves_nothing(path: Path) -> None:
    assert evidence_of(path, [A1]) == {}
    assert last_instant(path) is None
    assert evidence_of(written(path), [A1]) == {}
    assert last_instant(path) is None


@pytest.mark.parametrize("kept", range(0, len(WHOLE[-2]), 7))
def test_a_last_line_torn_by_a_crash_is_no_evidence(path: Path, kept: int) -> None:
    whole, torn = WHOLE[:-2], WHOLE[-2][:kept]
    found = evidence_of(written(path, *whole, torn), [A1, B1])
    assert found[B1] == LEG_B
    assert found[A1].hung_up_at is None


@pytest.mark.parametrize("kept", range(len(WHOLE[-2]) - 1))
def test_a_line_torn_by_a_crash_and_written_on_after_it_hurts_no_other_line(path: Path, kept: int) -> None:
    torn = WHOLE[-2][:kept]
    later = line("HANGUP", "1777896100.000001", B_UNIQUE_ID, "cb02-b1", EXTRA % 17)
    found = evidence_of(written(path, *WHOLE[:-2], torn, *WHOLE[-1:], later), [A1, B1, "cb02-b1"])
    assert found[B1] == LEG_B
    assert found["cb02-b1"].q850_cause == 17
    assert found[A1].hung_up_at in {None, LEG_A.hung_up_at}


@pytest.mark.parametrize(
    "damage",
    [
        b"\n",
        b"\0\0\0\0\0\n",
        b'"HANGUP"\n',
        b'"HANGUP","never","' + A1.encode() + b'","x","' + A1.encode() + b'","","","","",""\n',
        b'"HANGUP","","","","","","","","",""\n',
        b'"HANGUP","1777896036.896124","unbalanced\n',
        b"\xff\xfe\x80 not text\n",
        b'"' + b"x" * 200_000 + b'"\n',
        b"other,1777896036,foreign,foreign,acme\n",
    ],
)
def test_damaged_and_foreign_lines_are_skipped(path: Path, damage: bytes) -> None:
    half = len(WHOLE) // 2
    assert evidence_of(written(path, *WHOLE[:half], damage, *WHOLE[half:]), [A1, B1]) == {
        A1: LEG_A,
        B1: LEG_B,
    }


def test_NUL_bytes_that_a_power_loss_left_within_a_line_are_dropped(path: Path) -> None:
    hangup = WHOLE[-2].encode()
    assert evidence_of(written(path, WHOLE[1], b"\0" * 64 + hangup), [A1]) == {A1: LEG_A}


@pytest.mark.parametrize(
    "extra", ["", "{", "[]", "null", '{"hangupcause":null}', '{"hangupcause":"x"}', "{}"]
)
def test_a_hang_up_without_a_readable_cause_has_cause_zero(path: Path, extra: str) -> None:
    found = evidence_of(written(path, line("HANGUP", "1777896060.000400", A1, A1, extra)), [A1])
    assert found[A1].q850_cause == 0
    assert found[A1].hung_up_at == LEG_A.hung_up_at


def test_the_last_whole_line_is_the_last_proof_of_life(path: Path) -> None:
    assert last_instant(written(path, *WHOLE, WHOLE[0][:30])) == micros_to_utc("1777896060.000500")


def test_only_the_tail_of_a_long_file_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(path, *WHOLE)
    monkeypatch.setattr(evidence, "TAIL_BYTES", len(WHOLE[-1]) + len(WHOLE[-2]) + 5)
    assert evidence_of(path, [A1, B1]) == {
        A1: LegEvidence(leg_id=A1, hung_up_at=LEG_A.hung_up_at, q850_cause=16)
    }
