"""The page of the HTTP interface, from the very OpenAPI document that the server gives."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute

from app.main import create_app
from app.settings import Settings
from docs.markdown import described, prose, table

ROOMS = {
    "predict": "Read drawings",
    "runs": "Runs",
    "catalog": "Recipes, data sets, hyperparameters",
    "models": "Models",
    "evaluation": "Evaluation",
    "datasets": "Data sets",
    "drawings": "Your drawings",
    "explain": "Look inside",
    "Open Inference Protocol": "Open Inference Protocol",
    "health": "Health",
}
"""The headings of the tags, in their order."""


def calls() -> str:
    """All calls, by subject."""
    app = create_app(Settings(_env_file=None))
    document = app.openapi()
    schemas = document["components"]["schemas"]
    by_room: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            room = ROOMS.get(tag := operation.get("tags", ["other"])[0], tag)
            by_room.setdefault(room, []).append(_call(method.upper(), path, operation, schemas))
    for route in sockets(app.routes):
        by_room[ROOMS["drawings" if "/drawings" in route.path else "runs"]].append(_socket(route))
    order = [title for title in ROOMS.values() if title in by_room]
    order += sorted(set(by_room) - set(order))
    return "\n".join(f"## {title}\n\n" + "\n".join(by_room[title]) for title in order)


def sockets(routes: list[BaseRoute]) -> Iterator[WebSocketRoute]:
    """All web sockets, in routers within routers too."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield route
        inner = getattr(route, "original_router", route)
        if inner is not route or hasattr(route, "routes"):
            yield from sockets(list(inner.routes or ()))


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference to a named schema stands for."""
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _call(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    text = described(f"{method} {path}", operation.get("description"))
    parts = [f"### {method} {path}\n", prose((operation.get("description") or text).strip()) + "\n"]
    parameters = [
        (
            f"`{one['name']}`",
            one["in"] + (", required" if one.get("required") else ""),
            _kind(one["schema"]),
            prose(one.get("description", "")),
        )
        for one in operation.get("parameters", [])
    ]
    if parameters:
        parts.append(table(("parameter", "where", "value", "what"), parameters))
    body = operation.get("requestBody", {}).get("content", {})
    if body:
        parts.append(f"Body: {', '.join(f'`{kind}`' for kind in body)}.\n")
        fields = _resolved(body.get("application/json", {}).get("schema", {}), schemas).get("properties", {})
        if fields:
            rows = [(f"`{name}`", _kind(one), prose(one.get("description", ""))) for name, one in fields.items()]
            parts.append(table(("field", "value", "what"), rows))
    codes = [f"`{code}`{_name(code)}" for code in operation["responses"] if code not in ("4XX", "5XX")]
    parts.append(f"Answers: {', '.join(codes)}.\n")
    return "\n".join(parts)


def _name(code: str) -> str:
    return f" {HTTPStatus(int(code)).phrase.lower()}" if code.isdecimal() else ""


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    names = [
        " or ".join(f"`{value}`" for value in one["enum"]) if "enum" in one else one.get("type", "") for one in kinds
    ]
    limits = "".join(
        f" {word} {one[key]:,}"
        for one in kinds
        for key, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "of a length to"))
        if key in one
    )
    default = f"; {schema['default']!r} if left out" if schema.get("default") not in (None, "") else ""
    return " or ".join(names) + limits + default


def _socket(route: WebSocketRoute) -> str:
    text = described(f"web socket {route.path}", route.endpoint.__doc__)
    more = " What it says: [the log](../explanation/log.md#the-stream)." if "/runs" in route.path else ""
    return f"### WS {route.path}\n\n{prose(text)}{more}\n"
