"""What the README says is so."""

import json
import re

from app.recipes import load_recipes
from app.settings import Settings
from tests.serving import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_its_python_runs_and_learns(capsys):
    (code,) = blocks("python")
    exec(code, {})
    losses = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 4
    assert losses[-1] < 0.01


def test_its_calls_are_answered(client, ended):
    bodies = re.findall(r"8000(\S+) -d '(.*?)'", README)
    assert [path for path, _ in bodies] == ["/predict", "/api/runs"]
    for path, body in bodies:
        sent = json.loads(body)
        if "overrides" in sent:
            sent["overrides"]["dataset"] = "strokes"
        response = client.post(path, json=sent)
        assert response.status_code in (200, 201), response.text
    assert client.post("/predict", json=json.loads(bodies[0][1])).json()["label"] == "7"
    (answer,) = blocks("json")
    assert set(json.loads(answer)) == {"label", "probabilities", "blank", "is_digit", "score", "model"}
    ended(1)


def test_every_setting_and_every_recipe_is_described():
    for name in Settings.model_fields:
        assert f"`DIGITPAD_{name.upper()}`" in README
    for name in load_recipes():
        assert f"| `{name}` |" in README
