"""`/docs`, and the OpenAPI document behind it: what every call takes, and every answer that it may give."""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.web import templates
from app.web.addresses import root_of
from app.web.errors import Error
from app.web.security_headers import page_policy, source_hash

FILES = "/static-offline-docs"
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_ERROR = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
_OPERATIONS = ("get", "post", "put", "delete", "patch")


def install(app: FastAPI) -> None:
    """Serve `/docs` with a policy of its own, and make the document true."""

    def docs(request: Request) -> HTMLResponse:
        root = root_of(request.scope)
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title}: calls",
            swagger_js_url=f"{root}{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{FILES}/swagger-ui.css",
            swagger_favicon_url=root + templates.static_url("favicon.svg"),
            swagger_ui_parameters={"validatorUrl": None},
        )
        content = bytes(page.body)
        scripts = [source_hash(script) for script in _INLINE.findall(content)]
        policy = page_policy(scripts=scripts, styles=["'unsafe-inline'"])  # Swagger UI writes styles into its elements
        return HTMLResponse(content, headers={"content-security-policy": policy, "cache-control": "no-cache"})

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
    """Say of a call what all of them share: every error has the one form."""
    answers = operation["responses"]
    if "422" in answers:
        answers["422"] = {"description": "what came is not what was expected", **_ERROR}
    answers.setdefault("4XX", {"description": "the request is refused; the message says why", **_ERROR})
    answers.setdefault("5XX", {"description": "the server cannot answer now; the message says why", **_ERROR})
