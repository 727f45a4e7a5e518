"""The scripts of the pages stand in folders that depend on one another in one direction."""

import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from posixpath import normpath

import pytest

from app.settings import PROJECT
from app.web.script_catalog import is_within

SCRIPTS = PROJECT / "static" / "js"
SOURCES = {"app": ".py", "static/js": ".js", "static/css": ".css", "templates": ".html", "tests": ".py"}
"""Folders that hold sources, and how the names of these end."""

MOST_IN_A_FOLDER = 25
IMPORT = re.compile(r"""^import (?:\{[^}]*\} from )?"(.+)";$|\bimport\("(.+)"\)""", re.MULTILINE)
TEXT = re.compile(r"\bt(?:Parts)?\(\"")
BEGUN_BY = (
    ("templates", r"js/([\w/-]+\.js)"),
    *((f"app/models/formats/{name}.py", r'ENTRY = "([\w/-]+)"') for name in ("html", "javascript")),
)
"""Where it is written with which scripts a page begins."""


def imports() -> dict[str, set[str]]:
    """What each script imports, all by their paths within the folder of scripts."""
    return {
        path.relative_to(SCRIPTS).as_posix(): {
            normpath(str(path.relative_to(SCRIPTS).parent / (static or lazy)))
            for static, lazy in IMPORT.findall(path.read_text("utf-8"))
        }
        for path in SCRIPTS.rglob("*.js")
    }


def folder(script: str) -> str:
    return str(PurePosixPath(script).parent)


def folders() -> dict[str, set[str]]:
    """What each folder imports from others."""
    found: dict[str, set[str]] = {}
    for script, others in imports().items():
        here = folder(script)
        found.setdefault(here, set()).update(there for there in map(folder, others) if there != here)
    return found


def sources(place: Path) -> Iterable[Path]:
    return place.rglob("*") if place.is_dir() else [place]


def assert_no_circle(graph: Mapping[str, Iterable[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_every_import_leads_to_a_script() -> None:
    known = imports()
    assert len(known) > 100
    assert not {script: lost for script, others in known.items() if (lost := others - known.keys())}


def test_no_scripts_and_no_folders_import_one_another() -> None:
    assert_no_circle(imports())
    assert_no_circle(folders())


def test_what_all_share_needs_no_server_and_nothing_needs_a_page() -> None:
    graph = folders()
    assert graph["i18n"] == set()
    assert graph["lib"] <= {"i18n"}
    on_pages = {here for here, others in graph.items() if any(there.startswith("pages") for there in others)}
    assert not {here for here in on_pages if not here.startswith("pages")}


def test_every_script_is_imported_or_begins_a_page() -> None:
    begins = {
        name if name.endswith(".js") else f"{name}.js"
        for place, pattern in BEGUN_BY
        for path in sources(PROJECT / place)
        if path.is_file()
        for name in re.findall(pattern, path.read_text("utf-8"))
    }
    known = imports()
    assert begins <= known.keys()
    assert not known.keys() - begins - set().union(*known.values())


@pytest.mark.parametrize(("top", "ending"), SOURCES.items())
def test_a_folder_holds_no_more_than_an_eye_takes_in(top: str, ending: str) -> None:
    places = [PROJECT / top, *(path for path in (PROJECT / top).rglob("*") if path.is_dir())]
    counts = {place: sum(path.suffix == ending for path in place.iterdir()) for place in places}
    assert sum(counts.values()) > 10
    assert not {place: count for place, count in counts.items() if count > MOST_IN_A_FOLDER}


def test_the_pad_has_the_texts_of_all_that_it_imports() -> None:
    known, reached, ahead = imports(), set(), ["pages/pad/index.js", "pages/every-page.js"]
    while ahead:
        script = ahead.pop()
        if script not in reached:
            reached.add(script)
            ahead += known[script]
    assert "pages/pad/why.js" in reached
    speaking = {script for script in reached if TEXT.search((SCRIPTS / script).read_text("utf-8"))}
    assert not {script for script in speaking if not is_within(f"static/js/{script}", "pad")}
    assert not is_within("static/js/pages/train/index.js", "pad")
    assert not is_within("templates/pages/pad.html", "all")
