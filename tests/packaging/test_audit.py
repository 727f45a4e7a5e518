"""`make audit` tells advisories from a service that does not answer."""

import json
import sys

import pytest

from tests.packaging.audit import main

FOUND = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {"name": "left-out", "skip_reason": "it is not there"},
        {"name": "weak", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"]}]},
    ]
}


def program(tmp_path, code):
    path = tmp_path / "pip-audit"
    path.write_text(f"#!{sys.executable}\nimport sys\n{code}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("dependencies", "code", "said"),
    [
        (FOUND["dependencies"], 1, "weak 2.0: PYSEC-1, mended in 2.1, 3.0\n"),
        (FOUND["dependencies"][:2], 0, "2 packages without a known advisory\n"),
    ],
)
def test_advisories_are_named_and_fail(tmp_path, capsys, dependencies, code, said):
    found = json.dumps({"dependencies": dependencies})
    pip_audit = program(tmp_path, f"open(sys.argv[-1], 'w').write({found!r}); sys.exit({code})")
    assert main(pip_audit, "requirements.lock") == code
    assert capsys.readouterr().out == said


def test_a_service_that_does_not_answer_is_said(tmp_path, capsys):
    pip_audit = program(tmp_path, "sys.exit('ERROR:pip_audit: no connection')")
    assert main(pip_audit, "requirements.lock") == 0
    assert capsys.readouterr().out == "audit skipped: ERROR:pip_audit: no connection\n"
