"""Exit codes, and which of them a refusal means."""

import pytest

from billing.ledger import UnbalancedEntry
from pbx.errors import PbxError
from rating.plan import PlanRefused
from settings import BadSettings
from staff import exits
from store import errors
from values.money import AmountRefused
from values.refusal import NumberRefused, RefusalReason, refusal


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (exits.Stop("no", 4), 4),
        (errors.NotFound("account", "there is none", "see the list"), 3),
        (errors.Conflict("account", "it exists", "take another"), 5),
        (errors.NodeTaken("another"), 5),
        (errors.Invalid("zone", "no zone", "write one"), 2),
        (AmountRefused("amount", "1e3", "write digits"), 2),
        (NumberRefused(refusal(RefusalReason.EMPTY)), 2),
        (PlanRefused("name", "", "give one"), 2),
        (errors.StoreUnavailable("away"), 69),
        (errors.StaleStep("moved"), 75),
        (errors.SchemaMismatch("old"), 78),
        (BadSettings("wrong"), 78),
        (UnbalancedEntry("no"), 1),
        (PermissionError(13, "Permission denied", "x.pdf"), 1),
    ],
)
def test_each_refusal_has_its_code_and_is_told_in_one_line(error: Exception, code: int) -> None:
    assert isinstance(error, exits.refusals())
    assert exits.code_of(error) == code
    assert "\n" not in exits.sentence_of(error)


def test_each_refusal_of_the_pbx_keeps_its_own_code() -> None:
    kinds: list[type[PbxError]] = [PbxError, *PbxError.__subclasses__()]
    for kind in kinds:
        assert exits.code_of(kind("no", "do so")) == kind.exit_code


def test_every_refusal_of_the_store_has_a_code_of_its_own() -> None:
    kinds = {*errors.StoreError.__subclasses__(), *errors.Refused.__subclasses__()} - {errors.Refused}
    for kind in kinds:
        error = kind("x", "y", "z") if issubclass(kind, errors.Refused) else kind("x")
        assert exits.code_of(error) != exits.ERROR, kind


def test_a_fault_of_ours_is_no_refusal() -> None:
    for fault in (ValueError, TypeError, KeyError, AssertionError, ZeroDivisionError):
        assert not issubclass(fault, exits.refusals())


def test_an_error_of_the_system_names_the_file() -> None:
    assert exits.sentence_of(PermissionError(13, "Permission denied", "x.pdf")) == "x.pdf: Permission denied"
