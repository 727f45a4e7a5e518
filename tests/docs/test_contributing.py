"""The worked examples of CONTRIBUTING.md, done as they stand in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serving import REPOSITORY

pytestmark = pytest.mark.slow

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
COPIED = ("app", "tests", "pyproject.toml")
LINKED = ("static", "templates", "model_store", "docs")
SECONDS = 300


def sections() -> dict[str, list[tuple[str, str, str]]]:
    """The blocks of each section: language, file, text."""
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    return {title: BLOCK.findall(body) for title, body in zip(parts[1::2], parts[2::2], strict=True)}


EXAMPLES = {title: found for title, found in sections().items() if any(file for _, file, _ in found)}


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Iterator[Path]:
    """A copy of the tree in which all examples are done, one after the other."""
    copy = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, copy / name)  # with what is compiled of it
        else:
            shutil.copy(source, copy)
    for name in LINKED:
        (copy / name).symlink_to(REPOSITORY / name)
    (copy / ".venv").symlink_to(sys.prefix)
    for blocks in EXAMPLES.values():
        for language, file, text in blocks:
            if file:
                write(copy / file, language, text)
    yield copy
    shutil.rmtree(copy)


def write(path: Path, language: str, text: str) -> None:
    """Make the new file, or the change to one that is there."""
    if language != "diff":
        assert not path.exists()
        path.write_text(text, encoding="utf-8")
        return
    lines = text.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    whole = path.read_text(encoding="utf-8")
    assert whole.count(before) == 1, f"{path.name} has not these lines, once: {before}"
    path.write_text(whole.replace(before, after), encoding="utf-8")


def test_there_are_the_five_examples():
    assert list(EXAMPLES) == [
        "Your first change, in ten minutes",
        "A new layer",
        "A new optimizer",
        "A new metric",
        "A new data set",
    ]


def test_a_layer_and_a_metric_take_two_files_of_the_program_each():
    for title in ("A new layer", "A new metric"):
        files = {file for _, file, _ in EXAMPLES[title] if file and not file.startswith("tests/")}
        assert len(files) == 2, files


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_does_what_it_says(title, tree, cache_dir, tmp_path):
    commands = [text for language, _, text in EXAMPLES[title] if language == "sh"]
    assert commands
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "DIGITPAD_HOME": str(tmp_path / "home"),
        "DIGITPAD_CACHE_DIR": str(cache_dir),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # none is needed, and they take longer than the tests
    }
    for command in "".join(commands).splitlines():
        done = subprocess.run(
            ["sh", "-ec", command], cwd=tree, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
