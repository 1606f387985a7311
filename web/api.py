"""The API: HTTP in, JSON out, an OpenAPI document made from the same tables; and one page for people.

Reads: requests over WSGI; web.requests.Requests and web.confirmations.Confirmations answer them.
Gives: make_app(), an APIFlask application.
Knows nothing of: Twisted, SQL.
"""

from collections.abc import Callable, Mapping
from typing import Any

from apiflask import APIFlask
from flask import Response, g, json, request
from structlog.typing import FilteringBoundLogger
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from store.apikeys import ApiKey
from store.confirmations import Followed, Meaning
from store.errors import StoreUnavailable
from web import answers, problems
from web.answers import PATH, AcceptedSchema, StatusSchema
from web.body import BODY_BYTES_MAX, FORM, JSON, read_fields, too_large
from web.confirmations import Confirmations
from web.confirmpage import MEDIA_TYPE, Page, page_of, unavailable_page
from web.problems import FieldProblem, ProblemFound
from web.requests import Asked, Requests
from web.settings import CONFIRM_PATH
from web.wish import FIELDS, read_wish

OPENAPI_PATH = "/api/v1/openapi.json"
IDEMPOTENCY_KEY_CHARACTERS_MAX = 128
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key of the account."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same."},
}
SECURITY: list[str | dict[str, list[Any]]] = ["bearer", "apiKey"]
SAID_NO = {
    400: "The body cannot be read.",
    401: "No valid API key.",
    402: "The account's credit does not cover a call.",
    403: "Refused by policy: the country, or a suspended or closed account.",
    404: "The account has no callback of this id.",
    409: "A callback for the subscriber is under way, or the Idempotency-Key came with another body.",
    413: f"The body has more than {BODY_BYTES_MAX} bytes.",
    415: "The body is neither JSON nor a plain form.",
    422: "Fields that cannot be meant; each with its remedy.",
    500: "A fault of ours; it is logged.",
    503: "Stopping, or the store is away; see Retry-After.",
}
TOO_LATE = "Dialling has begun, or the callback has ended."


class Api(APIFlask):
    """The application; what it cannot help is logged without a word to the client."""

    def __init__(
        self, requests: Requests, *, monotonic: Callable[[], float], log: FilteringBoundLogger
    ) -> None:
        """`monotonic` measures how long an answer took."""
        super().__init__(
            "web",
            title="Dialback",
            version="1",
            json_errors=False,
            spec_path=OPENAPI_PATH,
            docs_path=None,
            static_folder=None,  # type: ignore[arg-type] # Flask takes it: no folder is served
        )
        self.requests = requests
        self.config["MAX_CONTENT_LENGTH"] = BODY_BYTES_MAX
        self.config["AUTO_404_RESPONSE"] = self.config["AUTO_AUTH_ERROR_RESPONSE"] = False
        self.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
        self.config["AUTO_SERVERS"] = False  # it would be the Host header of whoever asks first
        self.security_schemes = SECURITY_SCHEMES
        self.url_map.merge_slashes = False  # a redirect would lead to the Host header of whoever asks
        self._monotonic = monotonic
        self._log = log
        self.before_request(self._begin)
        self.after_request(self._finish)
        self.register_error_handler(ProblemFound, _answer)
        self.register_error_handler(StoreUnavailable, self._unavailable)
        self.register_error_handler(HTTPException, _of_werkzeug)

    def log_exception(self, exc_info: Any) -> None:
        """Write down a fault of ours; the client gets a 500 and none of it."""
        self._log.error("web.fault", route=_route(), exc_info=exc_info)

    def note(self, **facts: str) -> None:
        """Add facts to this request's line in the log."""
        g.facts.update(facts)

    def _begin(self) -> None:
        g.began = self._monotonic()
        g.facts = {}

    def _finish(self, response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        self._log.info(
            "web.request",
            method=request.method,
            route=_route(),
            status=response.status_code,
            milliseconds=round((self._monotonic() - g.began) * 1000, 1),
            remote=request.remote_addr or "",
            **g.facts,
        )
        return response

    def _unavailable(self, error: StoreUnavailable) -> Response:
        self.note_unavailable(error)
        return _answer(problems.unavailable())

    def note_unavailable(self, error: StoreUnavailable) -> None:
        """Write down that the store is away."""
        self._log.warning("store.unavailable", route=_route(), error=str(error))


def make_app(
    requests: Requests,
    confirmations: Confirmations,
    *,
    monotonic: Callable[[], float],
    log: FilteringBoundLogger,
) -> Api:
    """The API over these answers, and the page."""
    app = Api(requests, monotonic=monotonic, log=log)

    @app.post(PATH)
    @app.doc(
        tags=["callbacks"],
        summary="Ask for a callback",
        description="Accepted means committed: the request survives a crash. "
        "Send the same Idempotency-Key to ask again safely; it is remembered for 7 days.",
        security=SECURITY,
        responses=_responses(400, 401, 402, 403, 409, 413, 415, 422, 500, 503),
    )
    @app.output(AcceptedSchema, status_code=202)
    def request_callback() -> tuple[dict[str, object], int, dict[str, str]]:
        key = _api_key(app)
        wish = read_wish(read_fields(_body(), request.mimetype))
        asked = Asked(wish=wish, idempotency_key=_idempotency_key(), remote_address=request.remote_addr or "")
        taken = requests.take(key, asked)
        app.note(callback=taken.callback.id, repeat="yes" if taken.is_repeat else "no")
        headers = {"Location": answers.status_path(taken.callback.id)}
        if taken.is_repeat:
            headers["Idempotent-Replayed"] = "true"
        return answers.accepted_of(taken), 202, headers

    @app.get(f"{PATH}/<callback_id>")
    @app.doc(
        tags=["callbacks"],
        summary="Show how a callback stands",
        security=SECURITY,
        responses=_responses(401, 404, 500, 503),
    )
    @app.output(StatusSchema)
    def show_callback(callback_id: str) -> dict[str, object]:
        standing = requests.standing(_api_key(app), callback_id)
        app.note(callback=standing.callback.id)
        return answers.status_of(standing)

    @app.delete(f"{PATH}/<callback_id>")
    @app.doc(
        tags=["callbacks"],
        summary="Cancel a callback that is not being dialled",
        description="200: it is cancelled. 202: it surely will be, before anything is dialled.",
        security=SECURITY,
        responses={
            **_responses(401, 404, 409, 500, 503),
            202: {"description": "It will be cancelled before anything is dialled; see `cancel_requested`."},
            409: _problem(TOO_LATE),
        },
    )
    @app.output(StatusSchema)
    def cancel_callback(callback_id: str) -> tuple[dict[str, object], int]:
        standing = requests.cancel(_api_key(app), callback_id)
        app.note(callback=standing.callback.id)
        return answers.status_of(standing), 200 if standing.callback.state.is_end else 202

    app.spec_processor(_with_fields)
    _add_confirm_page(app, confirmations)
    return app


def _add_confirm_page(app: Api, confirmations: Confirmations) -> None:
    """GET shows and changes nothing, for programs follow the links in mail; POST confirms."""

    def follow(take: Callable[[str], Followed], token: str) -> Response:
        try:
            followed = take(token)
        except StoreUnavailable as error:
            app.note_unavailable(error)
            return _shown(unavailable_page(confirmations.house))
        owner = followed.owner.id if followed.owner is not None else ""
        app.note(account=owner, meaning=followed.meaning.value)
        return _shown(page_of(confirmations.house, followed))

    @app.get(f"{CONFIRM_PATH}/<token>")
    @app.doc(hide=True)
    def show_confirmation(token: str) -> Response:
        return follow(confirmations.look, token)

    @app.post(f"{CONFIRM_PATH}/<token>")
    @app.doc(hide=True)
    def confirm(token: str) -> Response:
        return follow(confirmations.confirm, token)

    @app.errorhandler(404)
    def no_such_path(error: HTTPException) -> Response:
        # What is no word at all, such as a line break, is no token either, and people see the page.
        if request.path.startswith(f"{CONFIRM_PATH}/"):
            return _shown(page_of(confirmations.house, Followed(meaning=Meaning.UNKNOWN)))
        return _of_werkzeug(error)


# what a request brings


def _api_key(app: Api) -> ApiKey:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    secrets = {bearer.strip()} if scheme.lower() == "bearer" else set()
    if header := request.headers.get("X-API-Key", "").strip():
        secrets.add(header)
    if len(secrets) != 1 or (scheme and scheme.lower() != "bearer"):
        raise problems.unauthorised()
    key = app.requests.api_key(secrets.pop())
    app.note(account=key.account_id, api_key=key.id)
    return key


def _body() -> bytes:
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise too_large()
    return request.get_data(cache=False)


def _idempotency_key() -> str:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
        remedy = f"send 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} printable ASCII characters, or no such header"
        found = FieldProblem(
            field="Idempotency-Key", problem="it is empty, too long or not plain", remedy=remedy
        )
        raise problems.bad_fields([found])
    return key


def _route() -> str:
    """The route that matched; a path that matched none is the client's own text and stays out of the log."""
    return request.url_rule.rule if request.url_rule is not None else "none"


# what it is told


def _shown(page: Page) -> Response:
    return Response(page.html, status=page.status, content_type=MEDIA_TYPE, headers=page.headers)


def _answer(problem: ProblemFound) -> Response:
    members = problems.as_members(problem, title=HTTP_STATUS_CODES[problem.status])
    return Response(
        json.dumps(members), status=problem.status, mimetype=problems.MEDIA_TYPE, headers=problem.headers
    )


def _of_werkzeug(error: HTTPException) -> Response:
    """Flask's own refusals (no such path, wrong method, a fault of ours) in the same form."""
    status = error.code or 500
    if status == 413:
        return _answer(too_large())
    headers = {name: value for name, value in error.get_headers() if name.lower() in {"allow", "location"}}
    code = HTTP_STATUS_CODES[status].lower().replace(" ", "_")
    if status == 500:
        return _answer(ProblemFound(500, code, "A fault of ours; it is logged."))
    return _answer(ProblemFound(status, code, f"{HTTP_STATUS_CODES[status]}.", headers=headers))


# the document


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {problems.MEDIA_TYPE: {"schema": schema}}}


def _responses(*statuses: int) -> dict[int, Any]:
    return {status: _problem(SAID_NO[status]) for status in statuses}


def _with_fields(document: dict[Any, Any] | str) -> dict[Any, Any] | str:
    """Add the fields of a request; APIFlask would read the body by itself if it knew of them."""
    assert isinstance(document, dict)
    schemas = document["components"].setdefault("schemas", {})
    schemas["Problem"] = problems.SCHEMA
    schemas["CallbackRequest"] = {
        "type": "object",
        "required": ["number"],
        "additionalProperties": False,
        "properties": {name: dict(field.schema) for name, field in FIELDS.items()},
    }
    post: dict[str, Any] = document["paths"][PATH]["post"]
    body: Mapping[str, Any] = {"schema": {"$ref": "#/components/schemas/CallbackRequest"}}
    post["requestBody"] = {"required": True, "content": {JSON: body, FORM: body}}
    post["parameters"] = [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and body give the same callback; another body gives 409.",
            "schema": {"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARACTERS_MAX},
        }
    ]
    post["responses"]["202"]["headers"] = {
        "Location": {"description": "Where to ask how it stands.", "schema": {"type": "string"}}
    }
    return document
