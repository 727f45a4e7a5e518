"""`/docs`, and the OpenAPI document behind it: what every call takes, and every answer that it may give."""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from app.web import templates
from app.web.errors import Error
from app.web.security_headers import page_policy

FILES = "/static-offline-docs"
HEADERS = {
    "content-security-policy": page_policy(styles=["'unsafe-inline'"]),  # Swagger UI writes styles into its elements
    "cache-control": "no-cache",
}
_FIRST_CLAUSE = re.compile(r"(?:`[^`]*`|[^.;:`]|[.:](?!\s))+")
_ERROR = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
_OPERATIONS = ("get", "post", "put", "delete", "patch")


def install(app: FastAPI) -> None:
    """Serve `/docs` with a policy of its own, and make the document true."""

    def docs(request: Request) -> Response:
        context = {"files": FILES, "document": app.openapi_url}
        return templates.render_page(request, "pages/api.html", context, headers=HEADERS)

    app.add_api_route("/docs", docs, include_in_schema=False)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Error"] = Error.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form, which no answer here has
            schemas.pop(name, None)
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{}, {"token": []}]  # a server on loopback asks for none
        for path in document["paths"].values():
            for method in _OPERATIONS:
                if method in path:
                    _complete(path[method])
        app.openapi_schema = document
    return app.openapi_schema


def _complete(operation: dict[str, Any]) -> None:
    """Say of a call in short what it does, and what all share: every error has the one form."""
    if clause := _FIRST_CLAUSE.match(operation.get("description", "")):  # FastAPI takes the function's name
        operation["summary"] = " ".join(clause[0].replace("`", "").split()).rstrip(".")
    answers = operation["responses"]
    if "422" in answers:
        answers["422"] = {"description": "what came is not what was expected", **_ERROR}
    answers.setdefault("4XX", {"description": "the request is refused; the message says why", **_ERROR})
    answers.setdefault("5XX", {"description": "the server cannot answer now; the message says why", **_ERROR})
