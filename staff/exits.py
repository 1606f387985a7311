"""Exit codes, and which of them a refusal means.

Reads: the errors of the floors below.
Gives: one line for a person and the code for a script.
Knows nothing of: commands.
"""

OK = 0
ERROR = 1
USAGE = 2
NOT_FOUND = 3
REFUSED = 4
CONFLICT = 5
UNAVAILABLE = 69
TEMPORARY = 75
CONFIGURATION = 78


class Stop(Exception):
    """The command ends here, with this sentence and this code."""

    def __init__(self, message: str, code: int) -> None:
        """`message` names what is wrong and what to do instead."""
        super().__init__(message)
        self.code = code


def refusals() -> tuple[type[Exception], ...]:
    """What the floors below say no with; asked for only after a raise, for importing takes time."""
    from billing.einvoice import NotExpressible
    from billing.ledger import UnbalancedEntry
    from billing.letter import AddressRefused
    from billing.tax import TaxRefused
    from pbx.errors import PbxError
    from rating.plan import PlanRefused
    from settings import BadSettings
    from store.errors import StoreError
    from store.papers import PaperDamaged
    from values.money import AmountRefused
    from values.refusal import NumberRefused

    return (
        Stop,
        StoreError,
        BadSettings,
        PbxError,
        AmountRefused,
        NumberRefused,
        PlanRefused,
        UnbalancedEntry,
        TaxRefused,
        NotExpressible,
        AddressRefused,
        PaperDamaged,
        OSError,
    )


def code_of(error: Exception) -> int:
    """The exit code that one of the refusals means."""
    from billing.tax import TaxRefused
    from pbx.errors import PbxError
    from rating.plan import PlanRefused
    from settings import BadSettings
    from store import errors
    from values.money import AmountRefused
    from values.refusal import NumberRefused

    match error:
        case Stop():
            return error.code
        case PbxError():
            return error.exit_code
        case errors.NotFound():
            return NOT_FOUND
        case errors.Forbidden():
            return REFUSED
        case errors.Conflict() | errors.NodeTaken() | FileExistsError():
            return CONFLICT
        case errors.Invalid() | AmountRefused() | NumberRefused() | PlanRefused() | TaxRefused():
            return USAGE
        case errors.StoreUnavailable():
            return UNAVAILABLE
        case errors.StaleStep():
            return TEMPORARY
        case BadSettings() | errors.SchemaMismatch():
            return CONFIGURATION
        case _:
            return ERROR


def sentence_of(error: Exception) -> str:
    """What the person is told; an error of the system with the file that it is about."""
    from store.errors import StoreUnavailable

    if isinstance(error, FileExistsError):
        return f"{error.filename} exists already; name another file"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, StoreUnavailable):
        return f"the database is unavailable ({error}); see that [database] url is right, and try again"
    return str(error)
