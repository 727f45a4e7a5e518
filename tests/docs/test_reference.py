"""The documents are built without a warning, load nothing from elsewhere, and name all that the code offers."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer

import app.nn
from app.cli import cli
from app.main import create_app
from app.recipes import load_recipes
from app.runs.config.run_config import RunConfig
from app.settings import Settings
from docs import generate_engine, generate_model, generate_server
from docs.generate import MAKERS, filled, moved
from docs.generate_cli import commands
from docs.generate_config import config, recipes
from docs.generate_http import calls, sockets
from docs.markdown import Undocumented, described, table
from tests.support.serving import REPOSITORY

pytestmark = pytest.mark.slow

SECONDS = 300
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


class Loads(HTMLParser):
    """What a page fetches by itself when it is opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        key = LOADED.get(tag) or ("href" if tag == "link" and found.get("rel") != "canonical" else "")
        self.addresses.append(found.get(key) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (built.returncode, built.stderr) == (0, "")
    return folder


def test_no_page_loads_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        found = Loads(page.read_text(encoding="utf-8"))
        foreign = [one for one in found.addresses if "//" in one]
        assert not foreign, f"{page.relative_to(site)} loads {foreign}"
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert "url(http" not in text
        assert "@import" not in text
    assert not list(site.rglob("*.py"))


def test_every_setting_has_a_text():
    page = generate_server.settings()
    for name, field in Settings.model_fields.items():
        assert f"| `DIGITPAD_{name.upper()}` |" in page
        assert described(name, field.description)[:-1] in page


def test_every_metric_has_a_text():
    page = generate_server.prometheus()
    for name in ("predictions_total", "prediction_seconds", "runs", "queue_length", "sockets", "log_lag_seconds"):
        assert f"| `digitpad_{name}` |" in page


def test_every_command_and_every_option_has_a_help():
    page = commands()
    todo = [("digitpad", typer.main.get_command(cli))]
    for name, command in todo:
        assert f"## {name}\n" in page
        for option in command.params:
            if option.param_type_name == "option" and not getattr(option, "hidden", False):
                assert option.opts[0] in page
        todo += [(f"{name} {key}", one) for key, one in getattr(command, "commands", {}).items() if not one.hidden]
    assert len(todo) > 20


def test_every_call_and_the_web_socket_have_a_text():
    page = calls()
    built = create_app(Settings(_env_file=None))
    for path, operations in built.openapi()["paths"].items():
        for method in operations:
            assert f"### {method.upper()} {path}\n" in page
    found = list(sockets(built.routes))
    paths = {"/api/runs/{run}/stream", "/api/drawings/stream", "/api/drawings/sets/{name}/stream"}
    assert {route.path for route in found} == paths
    assert all(f"### WS {path}" in page for path in paths)


def test_every_key_of_a_config_and_every_recipe_has_a_text():
    page = config()
    for name in RunConfig.model_fields:
        assert f"| `{name}` |" in page or f"| `{name}." in page
    for name in load_recipes():
        assert f"\n## {name}\n" in recipes()
        assert f"| [`{name}`](#{name}) |" in recipes()


def test_every_name_of_the_engine_has_a_docstring():
    page = generate_engine.names()
    for name in app.nn.__all__:
        assert f"### {name}\n" in page or f"- `{name}`: " in page


def test_the_figures_of_the_shipped_model_are_those_of_its_card():
    pages = REPOSITORY / "docs" / "explanation"
    assert generate_model.robustness() in (pages / "shipped-model.md").read_text("utf-8"), (
        "python -m docs.generate_model"
    )
    assert generate_model.rejection() in (pages / "no-digit.md").read_text("utf-8"), "python -m docs.generate_model"


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_what_has_no_text_is_refused(text):
    with pytest.raises(Undocumented, match="option --x of digitpad serve has no description"):
        described("option --x of digitpad serve", text)


def test_an_engine_s_class_without_a_docstring_is_refused(monkeypatch):
    monkeypatch.setattr(app.nn.Dense, "__doc__", None)
    with pytest.raises(Undocumented, match="Dense"):
        generate_engine.names()


def test_a_mark_that_nobody_makes_is_refused():
    assert filled("text\n<!-- made from the code: settings -->\n").startswith("text\n| setting |")
    with pytest.raises(KeyError):
        filled("<!-- made from the code: nothing -->")
    marks = [page.read_text("utf-8") for page in (REPOSITORY / "docs" / "reference").glob("*.md")]
    assert all(sum(f"<!-- made from the code: {name} -->" in text for text in marks) == 1 for name in MAKERS)


def test_a_bar_in_a_cell_does_not_end_it():
    assert table(("a",), [("x | y\nz",)]) == "| a |\n|---|\n| x \\| y z |\n"


def test_a_page_of_the_top_level_links_within_the_documents():
    text = "[a](docs/how-to/x.md) [b](CONTRIBUTING.md#new) [c](app/recipes) [d](https://e.org) ![e](docs/images/e.png)"
    assert moved(text) == "[a](how-to/x.md) [b](contributing.md#new) c [d](https://e.org) ![e](images/e.png)"


@pytest.mark.parametrize("name", ["README.md", "README.ja.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_what_the_top_level_links_to_is_there(name):
    text = re.sub(r"```.*?```", "", (REPOSITORY / name).read_text("utf-8"), flags=re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if not link.startswith(("http://", "https://"))]
    missing = [link for link in links if not (REPOSITORY / link).exists()]
    assert not missing
