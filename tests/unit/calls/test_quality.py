from decimal import Decimal

from calls.quality import NER_CAUSES, Traffic, percentile, total

W_24 = Traffic(attempts=156, answered=62, answered_seconds=145 * 60, reached=62)


def test_W_24_asr_and_acd_as_published() -> None:
    assert W_24.asr_percent == Decimal("39.74")
    assert W_24.acd_minutes == Decimal("2.34")


def test_R_29_every_attempt_counts_also_the_failed_ones() -> None:
    failed = Traffic(attempts=44)
    assert total([W_24, failed]).asr_percent == Decimal("31.00")
    assert total([W_24, failed]).acd_minutes == W_24.acd_minutes


def test_ner_counts_who_was_busy_or_did_not_want() -> None:
    assert frozenset({17, 18, 19, 21}) == NER_CAUSES
    seen = Traffic(attempts=8, answered=3, reached=5)
    assert seen.ner_percent == Decimal("62.50")


def test_pdd_is_the_mean_of_the_legs_that_have_one() -> None:
    seen = Traffic(attempts=4, pdd_seen=3, pdd_milliseconds=4_400)
    assert seen.pdd_seconds == Decimal("1.47")


def test_of_nothing_there_is_no_ratio() -> None:
    nothing = total([])
    assert (nothing.asr_percent, nothing.acd_minutes, nothing.ner_percent, nothing.pdd_seconds) == (None,) * 4


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([], 50) is None
    assert percentile([7], 95) == 7
    assert percentile([1, 2, 3, 4], 50) == 2
    assert percentile(list(range(1, 101)), 95) == 95
    assert percentile(list(range(1, 21)), 95) == 19
