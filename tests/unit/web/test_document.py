"""GET /api/v1/openapi.json."""

from typing import Any

from weboffice import BODY, Office

from web.answers import PATH
from web.wish import FIELDS


def document(office: Office) -> dict[str, Any]:
    answer = office.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_document_is_openapi_3_1_and_names_every_path(office: Office) -> None:
    found = document(office)
    assert found["openapi"].startswith("3.1")
    assert {path: set(methods) & {"get", "post", "delete"} for path, methods in found["paths"].items()} == {
        PATH: {"post"},
        f"{PATH}/{{callback_id}}": {"get", "delete"},
    }


def test_the_document_names_every_field_and_every_answer(office: Office) -> None:
    found = document(office)
    request = found["components"]["schemas"]["CallbackRequest"]
    assert set(request["properties"]) == set(FIELDS)
    assert request["additionalProperties"] is False
    post = found["paths"][PATH]["post"]
    assert set(post["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}
    statuses = {"202", "400", "401", "402", "403", "409", "413", "415", "422", "500", "503"}
    assert set(post["responses"]) == statuses
    assert set(found["paths"][f"{PATH}/{{callback_id}}"]["delete"]["responses"]) >= {
        "200",
        "202",
        "404",
        "409",
    }


def test_every_reference_in_the_document_leads_somewhere(office: Office) -> None:
    found = document(office)
    for reference in _references(found):
        place: Any = found
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_answers_have_the_members_that_the_document_promises(office: Office) -> None:
    schemas = document(office)["components"]["schemas"]
    accepted = office.ask(BODY).get_json()
    assert set(accepted) == set(schemas["AcceptedSchema"]["required"])
    assert set(office.show(accepted["id"]).get_json()) == set(schemas["StatusSchema"]["required"])
    refused = office.ask({"number": "abc"}).get_json()
    assert set(refused) == set(schemas["Problem"]["required"])


def test_no_page_is_served_that_would_load_scripts_from_elsewhere(office: Office) -> None:
    for path in ("/docs", "/redoc", "/static/x", "/openapi.json"):
        assert office.client.get(path).status_code == 404


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if "$ref" in node else []
        return here + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
