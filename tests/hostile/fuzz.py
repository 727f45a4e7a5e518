"""Coverage-guided fuzzing of every parser for a long time: `make fuzz`, or `python -m tests.hostile.fuzz PARSER ...`.

Each of `PARSERS` runs in a process of its own under atheris (libFuzzer), with limits of memory and of the time of one
input, and gets an equal share of `SECONDS`. It begins with the files of `tests/hostile/corpus.py` and those that
earlier runs found in `build/fuzz/PARSER`. An input that raises anything but a refusal, or goes beyond a limit, stays
there as `crash-*`, `oom-*` or `timeout-*`, and the exit code is 1.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOUND = ROOT / "build" / "fuzz"
SECONDS = 600
MOST_MEGABYTES = 1000
"""Of the whole process, whose imports take some 200."""
INPUT_SECONDS = 10
LONGEST = 1 << 16
FAILURES = ("crash-*", "oom-*", "timeout-*", "leak-*")
INSTRUMENTED = ["app", "zipfile", "numpy.lib._format_impl", "PIL.PngImagePlugin", "PIL.JpegImagePlugin"]


def main(names: list[str]) -> int:
    """Fuzz the parsers one after another; return the exit code."""
    from tests.hostile.parsers import PARSERS

    names = names or [*PARSERS]
    seconds = max(1, int(os.environ.get("SECONDS", SECONDS)) // len(names))
    failed = []
    for name in names:
        command = [sys.executable, "-m", "tests.hostile.fuzz", "--one", name, str(seconds)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        failures = [str(path.relative_to(ROOT)) for kind in FAILURES for path in (FOUND / name).glob(kind)]
        lines = [line for line in done.stdout.splitlines() if line.startswith(("Done ", "stat::number"))]
        sys.stdout.write(f"{name}: {'; '.join(lines) or 'ended early'} {' '.join(failures)}\n")
        sys.stdout.flush()
        if done.returncode or failures:
            failed.append(name)
            sys.stdout.write(done.stdout[-3000:])
    return int(bool(failed))


def fuzz(name: str, seconds: int) -> None:
    """Fuzz a parser in this process, which ends."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.hostile.corpus import corpus
        from tests.hostile.parsers import attempt
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    for data in corpus(name):
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def once(data: bytes) -> None:
        attempt(name, data)

    options = {
        "max_total_time": seconds,
        "timeout": INPUT_SECONDS,
        "rss_limit_mb": MOST_MEGABYTES,
        "max_len": LONGEST,
        "artifact_prefix": f"{folder}/",
        "print_final_stats": 1,
        "seed": 1,
    }
    atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(folder)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        fuzz(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
