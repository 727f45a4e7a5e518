"""The pages to learn from: the hub, the lessons, the parts, the perceptron, and the code behind the formulas."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.errors import RequestError
from app.learn.formulas import FORMULAS
from app.learn.formulas.source import listings
from app.learn.lessons.lesson import NAMES, lesson, lessons
from app.recipes import Recipe, load_recipes
from app.web import templates
from app.web.api.models import summaries
from app.web.dependencies import StoreDep
from app.web.preferences import language_of

router = APIRouter(prefix="/learn", include_in_schema=False)


@router.get("")
def hub(request: Request) -> Response:
    """A first drawing, then the lessons in order."""
    return _page(request, "learn/index.html", {"lessons": lessons(language_of(request))})


@router.get("/inside")
def inside(request: Request, store: StoreDep) -> Response:
    """A network and the user's drawing, layer by layer, forward and backward."""
    listed = summaries(store)
    usable = [entry for entry in listed["models"] if entry["available"]]
    teaching = next((entry["name"] for entry in usable if entry["for_teaching"]), None)
    convolutional = [recipe.name for recipe in load_recipes().values() if "conv2d" in _types(recipe)]
    context = {"models": usable, "first": teaching or listed["default"], "convolutional": convolutional}
    return _page(request, "learn/inspect.html", context)


@router.get("/parts")
def parts(request: Request) -> Response:
    """Every activation, loss, initializer and optimizer to play with."""
    return _page(request, "learn/experiments.html", {})


@router.get("/perceptron")
def perceptron(request: Request) -> Response:
    """The perceptron on AND, OR, NAND and XOR, and the two layers that XOR takes."""
    return _page(request, "learn/perceptron.html", {})


@router.get("/code/{name}")
def code(request: Request, name: str) -> Response:
    """The source of what computes a formula."""
    if name not in FORMULAS:
        raise RequestError(
            404, "expected a formula: {names}; got {name}", names=", ".join(FORMULAS), name=repr(name[:64])
        )
    context = {"name": name, "formula": FORMULAS[name], "listings": listings(name)}
    return _page(request, "learn/source.html", context)


@router.get("/{number:int}")
def one_lesson(request: Request, number: int) -> Response:
    """A lesson: text, a live figure, and something to try."""
    if not 1 <= number <= len(NAMES):
        raise RequestError(404, "expected a lesson from 1 to {count}; got {number}", count=len(NAMES), number=number)
    language = language_of(request)
    around = {"before": number - 1, "after": number + 1}
    found = {key: lesson(other, language) if 1 <= other <= len(NAMES) else None for key, other in around.items()}
    context = {"lesson": lesson(number, language), "count": len(NAMES), **found}
    return _page(request, "learn/lesson.html", context)


def _page(request: Request, template: str, context: dict[str, Any]) -> Response:
    headers = {"cache-control": "no-cache"}
    return templates.render_page(request, template, {"active": "learn", **context}, headers=headers)


def _types(recipe: Recipe) -> set[str]:
    """The types of a recipe's layers."""
    return {layer if isinstance(layer, str) else layer["type"] for layer in recipe.config["network"]["layers"]}
