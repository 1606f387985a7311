"""A body as a flat table of fields, from JSON or from a plain form.

Reads: bytes of at most BODY_BYTES_MAX, the media type.
Gives: {field: value}; ProblemFound for what cannot be read. A form gives texts, lists where a name repeats.
Knows nothing of: which fields there are.
"""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from web.problems import FieldProblem, ProblemFound, bad_body, bad_fields

BODY_BYTES_MAX = 16 * 1024
"""A request is some hundred bytes; the rest is room for long references."""
FIELDS_MAX = 40
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

Fields = Mapping[str, object]


def read_fields(body: bytes, media_type: str) -> Fields:
    """The fields of a body in one of the two forms."""
    if len(body) > BODY_BYTES_MAX:
        raise too_large()
    if media_type == JSON:
        return _json(body)
    if media_type == FORM:
        return _form(body)
    remedy = f"send {JSON} or {FORM}"
    found = FieldProblem(field="Content-Type", problem="this form of body is not read", remedy=remedy)
    raise ProblemFound(415, "media_type", f"The body is read as {JSON} or {FORM}.", errors=(found,))


def too_large() -> ProblemFound:
    """413: more than is read."""
    found = FieldProblem(
        field="body", problem="it is too large", remedy=f"send at most {BODY_BYTES_MAX} bytes"
    )
    return ProblemFound(413, "too_large", "The body is too large; nothing was done.", errors=(found,))


def _json(body: bytes) -> Fields:
    try:
        read = json.loads(
            body.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_constant, parse_int=_whole
        )
    except UnicodeDecodeError:
        raise bad_body("it is not UTF-8", "write JSON in UTF-8") from None
    except json.JSONDecodeError as error:
        problem = f"it is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise bad_body(problem, 'send an object, such as {"number": "+442079460101"}') from None
    except RecursionError:
        raise bad_body("it is nested too deeply", "send one flat object") from None
    except ValueError as error:
        raise bad_body(str(error), "send numbers as JSON has them") from None
    if not isinstance(read, dict):
        raise bad_body("it is no object", 'send an object, such as {"number": "+442079460101"}')
    return read


def _form(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError:  # UnicodeDecodeError is one
        problem = "it is no form, or has too many fields"
        raise bad_body(problem, "send name=value&…, percent-encoded UTF-8") from None
    table: dict[str, object] = {}
    for name, value in pairs:
        before = table.get(name)
        if before is None:
            table[name] = value
        elif isinstance(before, list):
            before.append(value)
        else:
            table[name] = [before, value]
    return table


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) != len(pairs):
        # Two readers of one body might each take another of the two.
        twice = next(name for name, _ in pairs if sum(1 for other, _ in pairs if other == name) > 1)
        shown = ascii(twice[:40])[1:-1] or "(no name)"
        raise bad_fields([FieldProblem(field=shown, problem="it is given twice", remedy="give it once")])
    return table


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _whole(digits: str) -> int:
    if len(digits) > 15:  # no field takes so much, and int() of thousands of digits is slow
        raise ValueError("a number is too long")
    return int(digits)
