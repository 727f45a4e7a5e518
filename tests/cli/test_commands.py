"""The commands by themselves: what they print, what they refuse, and the codes that they end with."""

import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from sqlalchemy.exc import DatabaseError

from app import __version__
from app.cli import cli, main
from app.cli.context import write_file
from app.cli.doctor import _port
from app.cli.engine import _select_kernels
from app.cli.models import ExportFormat
from app.cli.output import Code, CommandError, duration, program
from app.cli.overrides import parse_overrides
from app.cli.progress import bar_of
from app.data import DatasetCatalog
from app.data.drawings.store import DrawingStore
from app.models import ModelStore
from app.models.formats.registry import FORMATS
from app.runs.config.run_config import parse_config
from app.runs.log.event_log import EventLog
from app.runs.log.state import RunState
from app.settings import Settings
from tests.support.runs import TINY
from tests.support.serving import REPOSITORY
from tests.support.terminal import START, environment


@pytest.fixture
def home(tmp_path, cache_dir, monkeypatch):
    """A home of its own, in the environment of this process."""
    folder = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": folder, "CACHE_DIR": cache_dir, "DATA_DIR": ""}.items():
        monkeypatch.setenv(f"DIGITPAD_{name}", str(value))
    return folder


@pytest.fixture
def digitpad(home, capsys):
    """Runs a command in this process; gives its code, what it printed, and its errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main([str(one) for one in arguments])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


@pytest.fixture
def pictures(tmp_path, cache_dir):
    """A folder with two digits, one of them in a folder of its own, a blank page and what is no picture."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    test = DatasetCatalog(cache_dir).load("strokes").test
    for name, index in (("a.png", 0), ("more/b.PNG", 3)):
        Image.fromarray(255 - test.images[index]).save(folder / name, "PNG")
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save(folder / "blank.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not read")
    return folder


def test_pictures_folders_and_standard_input_are_read_as_text_json_and_csv(digitpad, pictures, monkeypatch):
    code, out, error = digitpad("predict", pictures)
    assert code == 1
    names = [line.rsplit(": ", 1)[0] for line in out.splitlines()]
    assert names == [str(pictures / name) for name in ("a.png", "blank.png", "more/b.PNG")]
    assert out.splitlines()[1].endswith(": blank")
    assert re.search(r"a\.png: \d \(\d+\.\d %", out)
    assert error.splitlines()[0].startswith(f"digitpad: {pictures / 'broken.jpg'}: expected a PNG or JPEG")
    assert error.splitlines()[1] == "digitpad: 1 could not be read"

    code, out, _ = digitpad(
        "predict", pictures / "a.png", pictures / "more", "--format", "json", "--model", "mnist-mlp"
    )
    answers = json.loads(out)
    assert (code, [one["file"] for one in answers]) == (0, [str(pictures / "a.png"), str(pictures / "more/b.PNG")])
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((pictures / "a.png").read_bytes())))
    code, out, _ = digitpad("predict", "-", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (code, row["file"], row["label"]) == (0, "-", answers[0]["label"])
    assert float(row["probability"]) == pytest.approx(answers[0]["probabilities"][row["label"]], abs=1e-6)

    (pictures / "empty").mkdir()
    names = ("none.png", "empty", "x" * 300, "\x1b[31m\n.png", "a.png")
    code, out, error = digitpad("predict", *(pictures / name for name in names))
    assert (code, len(out.splitlines()), len(error.splitlines())) == (1, 1, 5)
    assert "File name too long" in error.splitlines()[2]
    assert "\x1b" not in error


def test_the_store_is_listed_shown_chosen_renamed_exported_imported_and_removed(digitpad, home, tmp_path, monkeypatch):
    assert digitpad("export", "mnist-mlp", "--out", tmp_path)[:2] == (0, f"{tmp_path / 'mnist-mlp.zip'}\n")
    code, out, _ = digitpad("models", "import", tmp_path / "mnist-mlp.zip")
    assert (code, out.startswith("mnist-mlp-2, ")) == (0, True)
    assert digitpad("models", "rename", "mnist-mlp-2", "mine")[0] == 0
    assert digitpad("models", "default", "mine")[0] == 0
    assert digitpad("models", "default")[1] == "mine\n"
    listed = json.loads(digitpad("models", "list", "--json")[1])
    assert (listed["default"], [one["name"] for one in listed["models"]]) == (
        "mine",
        ["mine", "mnist-mlp", "teaching-mlp"],
    )
    assert json.loads(digitpad("models", "show", "mine", "--json")[1])["name"] == "mine"
    assert digitpad("models", "rename", "mine", "mnist-mlp")[0] == 1
    assert digitpad("models", "delete", "mnist-mlp", "--yes")[0] == 1
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    code, _, error = digitpad("models", "delete", "mine")
    assert (code, error.endswith("digitpad: nothing is changed\n")) == (1, True)
    assert digitpad("models", "delete", "mine", "--yes")[0] == 0
    assert [one.name for one in ModelStore(home).list()] == []
    (tmp_path / "bad.zip").write_bytes(b"PK")
    assert digitpad("models", "import", tmp_path / "bad.zip")[0] == 2
    assert digitpad("models", "import", tmp_path / "none.zip")[0] == 1
    (tmp_path / "bad.onnx").write_bytes(b"\x3a\x0f\x2a\x0d\x08\x01\x10\x08\x42\x07\x1b[31m\nw")  # a tensor of that name
    code, _, error = digitpad("models", "import", tmp_path / "bad.onnx")
    assert (code, len(error.splitlines()), "\x1b" in error, "[31m" in error) == (2, 1, False, True)


def test_onnx_without_its_package_says_what_to_install(digitpad, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "app.models.formats.onnx_proto", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    (tmp_path / "model.onnx").write_bytes(b"")
    for command in (("models", "import", tmp_path / "model.onnx"), ("export", "mnist-mlp", "--format", "onnx")):
        code, _, error = digitpad(*command)
        assert (code, "pip install 'digitpad[onnx]'" in error) == (1, True)


def test_a_model_is_evaluated_as_the_server_judges_it(digitpad):
    code, out, _ = digitpad("evaluate", "mnist-mlp", "--data", "strokes", "--json")
    judged = json.loads(out)
    assert (code, judged["count"]) == (0, 2000)
    assert judged["accuracy"] > 0.9
    code, out, _ = digitpad("evaluate", "mnist-mlp", "--data", "strokes")
    assert (code, f"{100 * judged['accuracy']:.2f} %" in out) == (0, True)
    assert len([line for line in out.splitlines() if line.count("\t") == 3]) == 10


def test_runs_are_listed_shown_paused_queued_cancelled_and_removed(digitpad, home):
    code, out, _ = digitpad("train", "quick", "--data", "strokes", "--tag", "a", "--note", "b", "--detach")
    assert (code, out) == (0, "run 1 is in the queue; digitpad runs watch 1 shows it\n")
    (row,) = json.loads(digitpad("runs", "list", "--json")[1])["runs"]
    assert (row["state"], row["config"]["dataset"], row["tags"], row["note"]) == ("queued", "strokes", ["a"], "b")
    assert digitpad("runs", "list")[1].startswith("1\tqueued\tquick\tstrokes\t0/5\t")
    assert digitpad("runs", "pause", "1")[1] == "run 1 is paused\n"
    assert digitpad("runs", "resume", "1", "--detach")[1] == "run 1 is queued\n"
    assert digitpad("runs", "delete", "1", "--yes")[0] == 1
    assert digitpad("runs", "cancel", "1")[1] == "run 1 is cancelled\n"
    assert digitpad("runs", "resume", "1") == (3, "", "digitpad: run 1 cancelled\n")
    code, out, error = digitpad("runs", "watch", "1")
    assert (code, out.split()) == (3, ["Queued", "Paused", "Resumed", "Cancelled"])
    assert error == "digitpad: run 1 cancelled\n"
    assert "state    cancelled" in digitpad("runs", "show", "1")[1]
    assert digitpad("runs", "delete", "1", "--yes") == (0, "run 1 is deleted\n", "")


def test_an_ended_run_is_told_to_have_ended_and_resuming_it_ends_as_it_did(digitpad, home):
    digitpad("train", "quick", "--data", "strokes", "--detach")
    log = EventLog(f"sqlite:///{home / 'digitpad.sqlite3'}")
    lease = log.claim("me")
    log.append(lease, "model_saved", {"name": "quick-1"}, model="quick-1")
    log.finish(lease, RunState.SUCCEEDED, {})
    log.close()
    for command in (["pause", "1"], ["cancel", "1"], ["resume", "1", "--detach"]):
        assert digitpad("runs", *command) == (0, "run 1 has already succeeded\n", "")
    assert digitpad("runs", "resume", "1") == (0, "run 1: the model quick-1, - of the test images\n", "")


def test_an_unknown_data_set_gets_the_names_of_all_as_the_list_has_them(digitpad, home):
    DrawingStore(home / "drawings").add("0", [[[0, 0], [1, 1]]], "ours")
    listed = [one["name"] for one in json.loads(digitpad("data", "list", "--json")[1])["datasets"]]
    assert "drawings:ours" in listed
    assert f"expected a data set: {', '.join(listed)}; got 'nosuch'" in digitpad("data", "show", "nosuch")[2]


def test_data_is_listed_fetched_shown_and_exported(digitpad, tmp_path, monkeypatch):
    assert "strokes\tStrokes\tready\t10\t20,000\t2,000" in digitpad("data", "list")[1]
    assert digitpad("data", "fetch", "strokes")[0] == 0
    shown = json.loads(digitpad("data", "show", "strokes", "--json")[1])
    assert sum(shown["counts"]["test"].values()) == 2000
    monkeypatch.setenv("COLUMNS", "40")
    drawn = digitpad("data", "show", "strokes", "--label", "7", "--count", "2")[1]
    assert "@" in drawn
    assert max(map(len, drawn.splitlines()[-30:])) <= 40
    assert digitpad("data", "export", "strokes", "--out", tmp_path / "s.npz")[0] == 0
    monkeypatch.setenv("DIGITPAD_DATA_DIR", str(tmp_path))
    again = json.loads(digitpad("data", "show", "npz:s.npz", "--json")[1])
    assert again["counts"] == shown["counts"]


def test_what_a_command_writes_goes_where_a_link_leads(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "there").write_bytes(b"old")
    write_file(tmp_path / "link", b"new")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "there").read_bytes()) == (True, b"new")
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(CommandError, match="cannot be written"):
        write_file(tmp_path, b"new")


def test_recipes_are_listed_and_shown(digitpad):
    assert "\nlenet\tLeNet-5\tmnist\t5\t" in digitpad("recipes", "list")[1]
    shown = digitpad("recipes", "show", "quick")[1]
    assert "optimizer.learning_rate = 0.01" in shown
    assert json.loads(digitpad("recipes", "show", "quick", "--json")[1])["name"] == "quick"


def test_the_doctor_says_what_is_well_and_what_is_not(digitpad, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGITPAD_PORT", "1")
    code, out, _ = digitpad("doctor", "--json")
    found = json.loads(out)
    names = {one["name"] for one in found["findings"]}
    assert (code, found["ok"]) == (0, True)
    assert {"python", "blas", "home", "data mnist", "models", "runs", "port", "browser", "extra mlflow"} <= names
    monkeypatch.setenv("DIGITPAD_DATA_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("DIGITPAD_MLFLOW_URI", "http://me:secret@127.0.0.1:1")
    code, out, error = digitpad("doctor")
    assert (code, error.startswith("digitpad: 2 of ")) == (1, True)
    assert re.search(r"^bad +data folder", out, re.MULTILINE)
    assert re.search(r"^bad +mlflow +its server cannot be reached", out, re.MULTILINE)
    assert "secret" not in out + error


@pytest.fixture
def port(monkeypatch):
    """Answers a connection with these bytes, in a thread, at the port of the settings."""
    with socket.socket() as listener, ThreadPoolExecutor(1) as pool:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(30)
        monkeypatch.setenv("DIGITPAD_PORT", str(listener.getsockname()[1]))

        def answer(data):
            listener.accept()[0].close()  # the doctor's look whether there is anybody
            with listener.accept()[0] as asked:
                asked.recv(65536)
                asked.sendall(data)

        yield lambda data: pool.submit(answer, data)


def test_the_doctor_knows_a_digitpad_that_is_unwell_from_what_is_none(port):
    def said():
        (finding,) = _port(Settings(_env_file=None))
        return finding.state, finding.said

    served = port(b"SSH-2.0-OpenSSH_9.6\r\n")
    state, text = said()
    assert (state, "is taken by another program" in text) == ("bad", True)
    served.result()
    body = json.dumps({"ok": False, "error": "the database is away", "log": "down"}).encode()
    head = f"HTTP/1.1 503 Service Unavailable\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    served = port(head + body)
    state, text = said()
    assert (state, text.startswith("digitpad serves "), text.endswith(": the database is away")) == ("bad", True, True)
    served.result()


def test_the_doctor_goes_on_where_the_database_breaks(digitpad, monkeypatch):
    def broken(*_, **__):
        raise DatabaseError("SELECT 1", {}, Exception("file is not a database\nmore"))

    monkeypatch.setattr("app.runs.log.event_log.EventLog.list_runs", broken)
    monkeypatch.setenv("DIGITPAD_PORT", "1")
    code, out, _ = digitpad("doctor", "--json")
    found = {one["name"]: one for one in json.loads(out)["findings"]}
    assert (code, found["runs"]["state"], "file is not a database" in found["runs"]["said"]) == (1, "bad", True)
    assert "\n" not in found["runs"]["said"]
    assert "terminal" in found


@pytest.mark.parametrize(
    ("name", "value"),
    [("HOME", "~nobody123x"), ("CACHE_DIR", "~nobody123x/cache"), ("DATABASE_URL", "sqlite:///~nobody123x/x.sqlite3")],
)
def test_a_folder_of_nobody_is_a_setting_that_is_wrong(digitpad, monkeypatch, name, value):
    monkeypatch.setenv(f"DIGITPAD_{name}", value)
    code, out, error = digitpad("models", "list")
    assert (code, out, len(error.splitlines())) == (Code.USAGE, "", 1)
    assert error.startswith(f"digitpad: DIGITPAD_{name}: ")


def test_a_damaged_database_is_said_with_what_to_do_and_left_as_it_is(digitpad, home):
    home.mkdir(parents=True, exist_ok=True)
    for path in home.glob("digitpad.sqlite3*"):
        path.unlink()
    file = home / "digitpad.sqlite3"
    file.write_bytes(b"garbage" * 1000)
    code, _, error = digitpad("runs", "list")
    assert code == Code.FAILED
    assert "file is not a database" in error
    assert "move it away" in error
    assert file.read_bytes() == b"garbage" * 1000


def test_a_file_of_settings_that_is_no_text_is_named(digitpad, tmp_path):
    (tmp_path / ".env").write_bytes(b"DIGITPAD_PORT=8000\n\xff\xfe")
    assert digitpad("models", "list") == (Code.USAGE, "", "digitpad: .env: expected UTF-8; got other bytes\n")


@pytest.mark.parametrize("command", ["default-model", "teaching-model"])
def test_the_models_that_ship_are_made_in_a_checkout_alone(digitpad, monkeypatch, command):
    monkeypatch.setattr("app.resources.is_installed", lambda: True)
    monkeypatch.setattr("app.cli.engine._select_kernels", lambda _: pytest.fail("it begins"))
    code, _, error = digitpad(command)
    assert (code, "rebuilt in a source checkout" in error) == (1, True)


def test_where_blas_is_to_take_other_kernels_the_same_app_begins_anew(home, tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr("app.runs.training.hardware.kernel_environment", lambda _: {"DIGITPAD_TEST_KERNEL": "x"})
    monkeypatch.setattr(os, "execve", lambda *command: begun.append(command))
    monkeypatch.setattr(sys, "argv", ["digitpad", "--version"])
    _select_kernels("auto")
    ((program, arguments, env),) = begun
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit(9)")
    done = subprocess.run([program, *arguments[1:]], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, env["DIGITPAD_TEST_KERNEL"]) == (0, f"digitpad {__version__}\n", "x")


def test_what_is_told_to_be_typed_is_what_is_there(home, monkeypatch):
    main_file = str(REPOSITORY / "app" / "__main__.py")
    for started, folder, typed in (
        ("/usr/bin/digitpad", REPOSITORY, "digitpad"),
        (main_file, REPOSITORY, ".venv/bin/python -m app"),
        (main_file, home.parent, f"{REPOSITORY}/.venv/bin/python -m app"),
    ):
        monkeypatch.setattr(sys, "argv", [started])
        monkeypatch.setattr(sys, "executable", f"{REPOSITORY}/.venv/bin/python")
        monkeypatch.chdir(folder)
        assert program() == typed


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["nothing"], Code.USAGE, "No such command 'nothing'"),
        (["train"], Code.USAGE, "'recipe'"),
        (["train", "nothing"], Code.USAGE, "recipe: expected one of quick"),
        (["train", "quick", "--data", "nothing"], Code.USAGE, "dataset: expected a data set: mnist"),
        (["train", "quick", "--epochs", "0"], Code.USAGE, "epochs"),
        (["train", "quick", "--set", "epochs"], Code.USAGE, "expected PATH=VALUE"),
        (["train", "quick", "--set", "optimizer.learning_rate=fast"], Code.USAGE, "optimizer.learning_rate"),
        (["train", "quick", "--set", "optimizer.speed=1"], Code.USAGE, "optimizer.speed"),
        (["train", "quick", "--set", "network.layers.9.units=1"], Code.USAGE, "expected a number from 0 to 2"),
        (["train", "quick", "--data", "strokes", "--tag", ""], Code.USAGE, "tags[0]"),
        (["evaluate", "nothing"], Code.USAGE, "there is no model nothing"),
        (["predict", "x.png", "--model", "nothing"], Code.USAGE, "there is no model nothing"),
        (["predict", "x.png", "--format", "xml"], Code.USAGE, "--format: expected one of text, json, csv; got 'xml'"),
        (["predict", ""], Code.USAGE, "expected the name of a file"),
        (["models", "import", ""], Code.USAGE, "expected the name of a file"),
        (["evaluate", "mnist-mlp", "--part", "x"], Code.USAGE, "--part: expected one of train, test; got 'x'"),
        (["serve", "--port", "x"], Code.USAGE, "--port: expected a whole number; got 'x'"),
        (["runs", "list", "--limit", "0"], Code.USAGE, "--limit: expected a number ≥ 1; got '0'"),
        (["export", "mnist-mlp", "--format", "xml"], Code.USAGE, "--format"),
        (["export", "--out", "no/such/folder"], Code.FAILED, "cannot be written"),
        (["models", "show", "../x"], Code.USAGE, "there is no model"),
        (["runs", "show", "1"], Code.USAGE, "there is no run 1"),
        (["runs", "show", "0"], Code.USAGE, "run"),
        (["runs", "watch", "99999999999"], Code.USAGE, "run"),
        (["runs", "resume", "7"], Code.USAGE, "there is no run 7"),
        (["data", "show", "nothing"], Code.USAGE, "expected a data set"),
        (["data", "show", "strokes", "--label", "x"], Code.USAGE, "label: expected one of 0"),
        (["data", "show", "npz:x.npz"], Code.FAILED, "DIGITPAD_DATA_DIR"),
        (["data", "export", "strokes", "--format", "json"], Code.USAGE, "format: expected npz"),
        (["data", "export", "drawings:none", "--format", "json"], Code.FAILED, "there are no drawings"),
        (["recipes", "show", "nothing"], Code.USAGE, "recipe: expected one of quick"),
        (["gradient-check", "nothing"], Code.USAGE, "recipe: expected one of quick"),
        (["augment", "quick"], Code.USAGE, "has no augmentation"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_code(digitpad, arguments, code, named):
    came, out, error = digitpad(*arguments)
    assert (came, out) == (code, "")
    assert named in error
    assert error.startswith("digitpad: ")
    assert len(error.splitlines()) == 1


def test_an_error_that_nobody_foresaw_is_one_line_too(digitpad, monkeypatch):
    def broken():
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr("app.recipes.load_recipes", broken)
    code, out, error = digitpad("recipes", "list")
    assert (code, out, len(error.splitlines())) == (1, "", 1)
    assert "RuntimeError: first" in error


def test_every_format_of_a_model_can_be_chosen():
    assert [one.value for one in ExportFormat] == list(FORMATS)


def test_every_exit_code_is_in_the_help_and_in_the_documents(digitpad):
    page = (REPOSITORY / "docs/reference/exit-codes.md").read_text()
    code, out, _ = digitpad("--help")
    assert code == 0
    for one in Code:
        assert f"| {one} |" in page
        assert re.search(rf"\b{one}\b", out)


def test_gradient_check_prints_a_table_and_both_times(digitpad):
    code, out, _ = digitpad("gradient-check", "lenet", "--images", "3", "--sample", "3")
    assert code == 0
    assert "0 conv2d" in out
    assert "largest relative error" in out
    assert "backpropagation" in out


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["optimizer.learning_rate=0.5"], {"optimizer": {"learning_rate": 0.5}}),
        (["optimizer.type=sgd", "optimizer.type=adam"], {"optimizer": {"type": "adam"}}),
        (["schedule={type = 'step', every = 2}"], {"schedule": {"type": "step", "every": 2}}),
        (['schedule={"type": "constant"}', "validation=null"], {"schedule": {"type": "constant"}, "validation": None}),
        (["dataset=mnist + 0.5*strokes"], {"dataset": "mnist + 0.5*strokes"}),
        (["shuffle=false", "seed=1_000"], {"shuffle": False, "seed": 1000}),
        (["network.layers.0.units=64"], {"network": {"layers": [{"type": "dense", "units": 64}, {"type": "relu"}]}}),
    ],
)
def test_settings_are_paths_and_values(settings, expected):
    config = {"network": {"layers": [{"type": "dense", "units": 16}, {"type": "relu"}]}}
    assert parse_overrides(settings, config) == expected
    assert config["network"]["layers"][0]["units"] == 16


@pytest.mark.parametrize("setting", ["=1", "a..b=1", "a=", "a={", "a=[1", 'a="x', "a=NaN", "a=1\nb=2", "layers.x=1"])
def test_what_is_no_setting_is_refused(setting):
    if setting == "a=NaN":  # a word; the config refuses it, as every field does
        assert parse_overrides([setting], {}) == {"a": "NaN"}
        return
    with pytest.raises(ValueError, match="--set"):
        parse_overrides([setting], {"layers": [1]})


@pytest.mark.parametrize("width", [20, 40, 56, 84, 200])
def test_the_bar_is_one_line_that_fits_the_terminal(width):
    at = {"phase": "training", "epoch": 12, "epochs": 100, "batch": 7, "batches": 300}
    progress = {**at, "loss": 0.123456, "accuracy": 0.9, "samples_per_second": 123456.7, "seconds_left": 4000.0}
    screen = Console(file=io.StringIO(), width=width, force_terminal=False)
    screen.print(bar_of(progress, width), end="")
    text = screen.file.getvalue()
    assert "\n" not in text.rstrip("\n")
    assert len(text.rstrip("\n")) <= width
    assert text.startswith("Epoch 12/100")
    for part, least in (("7/300", 20), ("loss 0.1235 acc 0.9000", 56), ("123,457/s 1:06:40 left", 84)):
        assert (part in text) == (width >= least)


def test_times_are_as_people_read_them():
    assert [duration(seconds) for seconds in (0.2, 59.4, 61, 3600)] == ["0s", "59s", "1:01", "1:00:00"]


def test_a_shell_completes_recipes_models_runs_and_data_and_makes_nothing(home, cache_dir, tmp_path):
    def complete(line):
        words = line.split(" ")
        env = {"_DIGITPAD_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        done = subprocess.run(
            START, env=environment(home, cache_dir, **env), cwd=REPOSITORY, capture_output=True, text=True, timeout=60
        )
        assert done.stderr == ""
        return done.stdout.split()

    assert complete("digitpad train le") == ["lenet"]
    assert complete("digitpad runs show ") == []
    assert not home.exists()
    log = EventLog(f"sqlite:///{home / 'digitpad.sqlite3'}")
    log.add(parse_config({**TINY, "optimizer": {"type": "sgd", "learning_rate": 0.1}}))
    log.close()
    assert complete("digitpad runs watch ") == ["1"]
    assert complete("digitpad models show mnist") == ["mnist-mlp"]


@pytest.mark.parametrize("arguments", [["--help"], ["data", "show", "strokes"], ["recipes", "list", "--json"]])
def test_a_terminal_without_utf8_gets_ascii(arguments, home, cache_dir):
    env = environment(home, cache_dir, PYTHONIOENCODING="ascii")
    done = subprocess.run([*START, *arguments], env=env, cwd=REPOSITORY, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


def test_a_reader_that_goes_away_ends_it_without_a_word(home, cache_dir):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        done = subprocess.run(
            [*START, "recipes", "list"],
            env=environment(home, cache_dir),
            cwd=REPOSITORY,
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (Code.PIPE_CLOSED, b"")


def test_python_m_app_and_the_script_are_the_same():
    scripts = [line for line in Path(REPOSITORY / "pyproject.toml").read_text().splitlines() if "app.cli:main" in line]
    assert scripts == ['digitpad = "app.cli:main"']
    assert callable(cli)
