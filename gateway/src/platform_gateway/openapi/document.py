"""The OpenAPI document: what FastAPI derives from the routes, with examples, links and scopes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from fastapi import FastAPI

from platform_gateway.access import REQUIRED
from platform_gateway.openapi.examples import EVENTS, EXAMPLES
from platform_gateway.openapi.links import links_from
from platform_gateway.openapi.provider_event_examples import PROVIDER_EVENT_EXAMPLES
from platform_runtime.problem import PROBLEM_MEDIA_TYPE

DESCRIPTION: Final = """\
What takes long is an operation: its start answers 202 with `Location`, and the operation tells where it stands.
Errors are problems (RFC 9457): decide by `type`. A repeated `Idempotency-Key` is the same request."""

Json = dict[str, Any]

_JSON: Final = "application/json"
_EVENTS: Final = "text/event-stream"
_EVENT: Final[Json] = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": _JSON},
        "retry": {"type": "integer"},
    },
}


def document_with_examples(app: FastAPI) -> None:
    """Let the application's document have examples, links and scopes, whoever asks for it."""
    derive = app.openapi

    def document() -> Json:
        if app.openapi_schema is None:
            _complete(derive())
        return cast("Json", app.openapi_schema)

    app.openapi = document


def operations_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    """Yield path, method and operation of each operation that a document has."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _complete(document: Json) -> None:
    for _path, _method, operation in operations_of(document):
        scope = REQUIRED.get(operation["operationId"])
        if scope is not None:
            operation["x-required-scope"] = scope
        links = links_from(operation["operationId"])
        for status, answer in operation["responses"].items():
            if links and status.startswith("2"):
                answer["links"] = links
            problem = answer.get("content", {}).get(PROBLEM_MEDIA_TYPE)
            if problem is not None:
                # Here it can be named once: this application knows its own components.
                document["components"]["schemas"]["Problem"] = problem["schema"]
                problem["schema"] = {"$ref": "#/components/schemas/Problem"}
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for holder in [*bodies, *operation["responses"].values()]:
            content = holder.get("content", {})
            if _EVENTS in content:
                # FastAPI puts this under `itemSchema`, which only OpenAPI 3.2 knows.
                content[_EVENTS] = {"schema": _EVENT, "example": EVENTS}
            media = content.get(_JSON)
            if media is not None and "example" not in media:
                _add_example(media)


def _add_example(media: Json) -> None:
    model = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
    example = {**EXAMPLES, **PROVIDER_EVENT_EXAMPLES}.get(model)
    if example is not None:
        media["example"] = example
