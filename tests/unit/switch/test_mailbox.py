"""Orders for one AGI session, in the order in which they were given."""

from calls.commands import Opening, RunDialog
from switch.mailbox import ORDERS_MAX, Mailbox

WELCOME = RunDialog(opening=Opening.WELCOME)
FOLLOW_ON = RunDialog(opening=Opening.FOLLOW_ON)


def taken(mailbox: Mailbox) -> list[object]:
    """A list that gets what the next get() gives, when it does."""
    got: list[object] = []
    mailbox.get().addCallback(got.append)
    return got


def test_orders_left_before_anybody_reads_are_read_in_their_order() -> None:
    mailbox = Mailbox()
    mailbox.put(WELCOME)
    mailbox.put(FOLLOW_ON)
    assert taken(mailbox) == [WELCOME]
    assert taken(mailbox) == [FOLLOW_ON]


def test_a_reader_waits_for_the_next_order() -> None:
    mailbox = Mailbox()
    got = taken(mailbox)
    assert got == []
    mailbox.put(WELCOME)
    assert got == [WELCOME]


def test_an_order_is_read_once() -> None:
    mailbox = Mailbox()
    mailbox.put(WELCOME)
    taken(mailbox)
    assert taken(mailbox) == []


def test_closing_tells_a_waiting_reader_that_there_is_no_more() -> None:
    mailbox = Mailbox()
    got = taken(mailbox)
    mailbox.close()
    assert got == [None]
    assert taken(mailbox) == [None]


def test_closing_twice_is_closing_once() -> None:
    mailbox = Mailbox()
    mailbox.close()
    mailbox.close()
    assert taken(mailbox) == [None]


def test_an_order_after_the_close_is_dropped() -> None:
    mailbox = Mailbox()
    mailbox.close()
    mailbox.put(WELCOME)
    assert taken(mailbox) == [None]


def test_nobody_reading_does_not_make_it_grow_for_ever() -> None:
    mailbox = Mailbox()
    for _ in range(ORDERS_MAX + 5):
        mailbox.put(WELCOME)
    read = 0
    while taken(mailbox):
        read += 1
    assert read == ORDERS_MAX


def test_what_nobody_has_read_or_will_read_goes_to_whoever_is_named() -> None:
    mailbox, unread = Mailbox(), list[object]()
    mailbox.put(WELCOME)
    mailbox.abandon(unread.append)
    mailbox.put(FOLLOW_ON)
    assert unread == [WELCOME, FOLLOW_ON]


def test_what_is_put_after_the_reader_left_in_the_middle_of_waiting_is_not_lost() -> None:
    mailbox, unread = Mailbox(), list[object]()
    got = taken(mailbox)
    mailbox.abandon(unread.append)
    mailbox.put(FOLLOW_ON)
    assert (got, unread) == ([], [FOLLOW_ON])


def test_an_abandoned_mailbox_of_a_callback_that_is_over_drops_everything() -> None:
    mailbox, unread = Mailbox(), list[object]()
    mailbox.put(WELCOME)
    mailbox.close()
    mailbox.abandon(unread.append)
    mailbox.put(FOLLOW_ON)
    assert unread == []
