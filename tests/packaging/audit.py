"""`make audit`: the known advisories of the locked versions, from pip-audit."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def main(pip_audit: str, lock: str) -> int:
    """Print the advisories of a lock file; return 1 if there are any, and 0 where none could be asked for."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "found.json")
        asked = [pip_audit, "--disable-pip", "--require-hashes", "-r", lock, "--format", "json", "-o", str(found)]
        ended = subprocess.run(asked, capture_output=True, text=True)
        if not found.is_file():  # it writes nothing where its service does not answer
            reason = ended.stderr.strip().splitlines() or ["no reason given"]
            say(f"audit skipped: {reason[-1]}")
            return 0
        packages = json.loads(found.read_text())["dependencies"]
    lines = [
        f"{package['name']} {package['version']}: {advisory['id']}, mended in {', '.join(advisory['fix_versions'])}"
        for package in packages
        for advisory in package.get("vulns", ())
    ]
    say("\n".join(lines) or f"{len(packages)} packages without a known advisory")
    return int(bool(lines))


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
