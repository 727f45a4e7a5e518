"""Errors are data: messages with values, in any language, through JSON and the log, whatever the values are."""

import ast
import importlib
import json
import pkgutil
import re

import pytest

import app
from app.errors import OUTCOMES, InputError, LimitError, Message, MessageError, joined, localized, message_of, shortened
from app.i18n.catalog import LANGUAGES, catalog, read_texts
from app.nn.errors import EngineError, SpecError
from app.nn.optimizers import Adam
from app.settings import PROJECT

CAUGHT_WITHIN = {"failed", "engine", "slow_reader", "fenced", "newer_database"}
"""Codes of errors that are caught where they may arise; they never reach a caller."""
JAPANESE = catalog("ja").gettext


def classes(base: type) -> set[type]:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, ahead = set(), [base]
    while ahead:
        ahead += (new := ahead.pop().__subclasses__())
        found |= set(new)
    return found


def test_a_message_is_its_english_text_and_what_it_is_made_of():
    message = Message("expected at most {most}; got {got}", field="epochs", most=5, got=7)
    assert message == "epochs: expected at most 5; got 7"
    assert (message.template, message.values, message.field) == (
        "expected at most {most}; got {got}",
        {"most": 5, "got": 7},
        "epochs",
    )


@pytest.mark.parametrize(
    "value", ["{most}", "{", "}{got}", "<b>&amp;</b>", "%(got)s", "{{{{", "\x00", "{0}", "{got.__class__}"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_value_is_shown_as_it_is_whatever_it_holds(value, language):
    text = Message("expected at most {most}; got {got}", most=1, got=value).localized(catalog(language).gettext)
    assert text.count(value) == 1
    assert "1" in text


def test_a_slot_without_a_value_stays():
    assert Message("there is no run {run}") == "there is no run {run}"


def test_a_message_within_a_message_is_translated_too():
    inner = Message("there is no run {run}", run=3)
    outer = Message("the model {name} cannot be used: {reason}", name="x", reason=inner)
    assert JAPANESE(inner.template).format(run=3) in outer.localized(JAPANESE)
    assert localized({"a": [outer, 1, None]}, JAPANESE)["a"][0] == outer.localized(JAPANESE)


def test_messages_within_messages_end():
    message = Message("there is no run {run}", run=1)
    for _ in range(50):
        message = Message("dataset: {reason}", reason=message)
    assert message.localized(JAPANESE)


def test_a_message_survives_json_and_other_json_stays_as_it_is():
    message = Message("the model {name} cannot be used: {reason}", name="x", reason=Message("missing", field="a.b"))
    back = Message.from_json(json.loads(json.dumps(message.to_json())))
    assert (back, back.localized(JAPANESE)) == (message, message.localized(JAPANESE))
    for other in ("the loss diverged", None, 3, {"message": 3}, {"text": "x"}, ["message"]):
        assert Message.from_json(other) == other


def test_an_error_of_the_engine_has_a_message_with_its_field():
    with pytest.raises(SpecError) as raised:
        Adam(learning_rate=-1)
    message = message_of(raised.value)
    assert message.within("optimizer").field == "optimizer.learning_rate"
    assert str(raised.value) == message
    assert message.localized(JAPANESE) != message


def test_several_messages_are_one_which_names_the_first_field():
    message = joined([Message("missing", field="a"), Message("missing", field="b")])
    assert (message, message.first_field) == ("a: missing; b: missing", "a")


def test_of_many_names_the_first_are_shown():
    assert shortened(["a", "b"]) == "a, b"
    assert shortened([str(i) for i in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7 and 4 more"


def test_every_kind_of_error_has_an_outcome_or_is_caught_within():
    codes = {kind.code for kind in classes(MessageError) | classes(EngineError) if "code" in vars(kind)}
    assert codes <= set(OUTCOMES) | CAUGHT_WITHIN
    assert {InputError.code, LimitError.code} <= set(OUTCOMES)


def english(value):
    """True if a value of a message has English words that Python puts together."""
    match value:
        case ast.Constant(value=str(text)):
            return re.search("[a-z]{2}", text) is not None
        case ast.BoolOp(values=parts) | ast.JoinedStr(values=parts):
            return any(map(english, parts))
        case ast.IfExp(body=one, orelse=other):
            return english(one) or english(other)
        case ast.Call(func=ast.Attribute(value=joint, attr="join")):
            return english(joint)
    return False


def test_no_value_of_a_message_has_english_words():
    """They would stand in the text of another language; a value may be a message."""
    found = [
        f"{path.name}:{node.lineno}"
        for path in sorted((PROJECT / "app").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id == "Message" or node.func.id.endswith("Error") or node.func.id == "DatasetUnavailable"
        if any(english(each.value) for each in node.keywords if each.arg not in ("field", "headers"))
    ]
    assert found == []


def test_no_slot_of_a_message_has_a_numbered_name():
    """The names are the keys of `params`, which programs read."""
    numbered = re.compile(r"\{[a-z_]+\d\}")
    texts = [text for text in read_texts("ja") if any(place.startswith("app/") for place in text.places)]
    assert [text.key for text in texts if numbered.search(text.key)] == []


def test_no_error_is_a_finished_sentence():
    """But for faults of the program, and settings, which the terminal shows before there is any language."""
    plain = {"KeyError", "OSError", "SettingError", "TypeError"}
    found = []
    tools = {PROJECT / "app" / "settings.py", PROJECT / "app" / "i18n" / "extract.py"}
    for path in sorted({*(PROJECT / "app").rglob("*.py")} - tools):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="ValueError" | "HTTPException"), args=[_, *_]):
                    found.append(f"{path.name}:{node.lineno}")
                case ast.Call(func=ast.Name(id=name), args=[ast.JoinedStr(), *_]) if name.endswith("Error"):
                    found += [f"{path.name}:{node.lineno}"] * (name not in plain)
    assert found == []
