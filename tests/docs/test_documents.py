"""Every block of Python and of commands in the README and in docs/ runs, or says why it does not.

`<!-- not run: why -->` in the line above a block marks one that a test cannot run.
"""

import json
import re
import shlex
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from app.cli import cli, main
from tests.support.drawings import encode, picture, recorded
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY, serve

pytestmark = pytest.mark.slow

PAGES = sorted({*REPOSITORY.glob("README*.md"), *(REPOSITORY / "docs").rglob("*.md")})
BLOCK = re.compile(
    r"^(?P<mark><!-- not run: .+ -->\n)?(?P<indent> *)```(?P<kind>\w+)[^\n]*\n(?P<text>.*?)^ *```", re.M | re.S
)
PYTHON, COMMANDS = {"python", "py", "pycon"}, {"sh", "shell", "bash", "console"}
ADDRESS = "http://127.0.0.1:8000"
CODES = {**dict.fromkeys(("recipes", "models", "export", "predict", "train"), (0,)), "doctor": (0, 1)}
"""Commands that are run, and the codes that they may end with: the doctor may find something here that is not well."""
VARIABLE = re.compile(r"[A-Z_]+=")
TARGETS = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.M))


def blocks(page):
    """The kind and text of every block that is to run."""
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [(one["kind"], one["text"]) for one in found if one["kind"] in PYTHON | COMMANDS and not one["mark"]]


WITH_BLOCKS = [page for page in PAGES if blocks(page)]


@pytest.fixture(scope="module")
def address(tmp_path_factory, cache_dir):
    with serve(tmp_path_factory.mktemp("documents"), DIGITPAD_CACHE_DIR=str(cache_dir)) as server:
        yield server.url


@pytest.fixture
def home(tmp_path, cache_dir, monkeypatch):
    """The home of commands that are run; the working folder is another, empty one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DIGITPAD_CACHE_DIR", str(cache_dir))
    return tmp_path / "home"


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_block_runs(page, address, home):
    three = recorded()["digit 3"]
    Path("drawing.png").write_bytes(encode(picture(three["strokes"], 30)))
    names = {"__name__": "documents"}
    for kind, text in blocks(page):
        text = text.replace(ADDRESS, address)
        if kind in PYTHON:
            exec(compile(text, f"{page.name}: a block", "exec"), names)
            continue
        for line in re.sub(r"\\\n\s*", " ", text).splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            while words and VARIABLE.match(words[0]):
                del words[0]
            if words:
                run(words, address)


def run(words, address):
    """Run a command of the kinds that are known."""
    program, *rest = words
    if program == "curl":
        assert 200 <= ask(rest, address) < 300
    elif program == "make":
        assert {word for word in rest if "=" not in word} <= TARGETS, f"make has no {rest}"
    elif program == "digitpad" or words[:3] == ["python", "-m", "app"]:
        command(rest if program == "digitpad" else rest[2:])
    else:
        pytest.fail(f"expected curl, make or digitpad, or a block marked as not run; got {program}")


def command(words):
    """Run a command of `CODES`; of any other only see whether the command line takes it."""
    parse(words)
    if words[0] in CODES:
        with pytest.raises(SystemExit) as left:
            main([*words, *(["--detach"] if words[0] == "train" else [])])
        assert left.value.code in CODES[words[0]], words


def ask(words, address):
    """Send what a curl command would; the status. A training that it starts is made one of a second."""
    url = next(word for word in words if word.startswith("http"))
    assert url.startswith(address), f"expected this server's address; got {url}"
    options = {"-d": None, "-X": None, "-H": [], "--data-binary": None}
    for option, value in pairwise(words):
        if option == "-H":
            options["-H"].append(value)
        elif option in options:
            options[option] = value
    body, file = options["-d"], options["--data-binary"]
    data = Path(file.removeprefix("@")).read_bytes() if file else None if body is None else body.encode()
    if url.endswith("/api/runs") and body is not None:
        sent = json.loads(body)
        data = json.dumps({**sent, "overrides": {**sent.get("overrides", {}), **TINY}}).encode()
    headers = dict(re.split(r":\s*", header, maxsplit=1) for header in options["-H"])
    request = urllib.request.Request(url, data, headers, method=options["-X"])
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.status


def parse(words):
    """Whether the command line takes these words; nothing is done."""
    command = typer.main.get_command(cli)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        assert words[0] in command.commands, f"digitpad has no {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    if not {"--help", "--version", "--install-completion", "--show-completion"} & set(words):
        command.make_context("digitpad", list(words))


def test_commands_are_run_and_one_that_fails_is_noticed(home, capsys):
    Path("drawing.png").write_bytes(encode(picture(recorded()["digit 3"]["strokes"], 30)))
    for line in (
        "digitpad recipes list",
        "digitpad models show mnist-mlp",
        "python -m app export mnist-mlp --format onnx",
        "digitpad predict drawing.png",
        "digitpad train quick --data strokes",
        "digitpad doctor",
    ):
        run(line.split(), "")
    said = capsys.readouterr().out
    assert Path("mnist-mlp.onnx").is_file()
    assert re.search(r"^drawing\.png: 3 \(", said, re.M)
    assert re.search(r"^ok +runs +1 queued$", said, re.M)
    with pytest.raises(AssertionError, match="nothing"):
        run(["digitpad", "export", "nothing"], "")


def test_the_answer_that_is_shown_has_what_an_answer_has(address):
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (shown,) = [json.loads(one["text"]) for one in BLOCK.finditer(readme) if one["kind"] == "json"]
    (body,) = re.findall(r"/predict -d '(.*?)'", readme)
    request = urllib.request.Request(f"{address}/predict", body.encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
    assert (answer["label"], set(answer)) == (shown["label"], set(shown))


def test_there_are_blocks_to_run():
    assert REPOSITORY / "README.md" in WITH_BLOCKS
    assert REPOSITORY / "docs" / "how-to" / "library.md" in WITH_BLOCKS


def test_commands_that_do_not_exist_are_noticed():
    parse(["serve"])
    parse(["export", "mnist-mlp", "--format", "onnx"])
    with pytest.raises(Exception, match="No such option: --nonsense"):
        parse(["serve", "--nonsense"])
    with pytest.raises(Exception, match="'nonsense' is not one of"):
        parse(["export", "--format", "nonsense"])
    with pytest.raises(AssertionError):
        parse(["nonsense"])
    with pytest.raises(AssertionError):
        run(["make", "nonsense"], "")
