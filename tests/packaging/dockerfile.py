"""Reading a Dockerfile: its instructions, and which files of the folder an image is made from."""

import fnmatch
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_INSTRUCTION = re.compile(r"([A-Z]+)\s+(.*)", re.DOTALL)


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, its `--flags`, and the rest of its line, in which continued lines are joined."""

    name: str
    flags: dict[str, str]
    rest: str

    @property
    def words(self) -> list[str]:
        """The rest as words: the strings of a JSON list, else as a shell splits them."""
        return list(json.loads(self.rest)) if self.rest.startswith("[") else shlex.split(self.rest)


def read_dockerfile(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile. Raises ValueError for a line that is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        match = _INSTRUCTION.fullmatch(line)
        if match is None:
            raise ValueError(f"expected an instruction; got {line!r}")
        flags, rest = {}, match[2].strip()
        while rest.startswith("--"):
            flag, _, rest = rest.partition(" ")
            key, _, value = flag.removeprefix("--").partition("=")
            flags[key], rest = value, rest.strip()
        found.append(Instruction(match[1], flags, " ".join(rest.split())))
    return found


class Context:
    """The files below `folder` that `.dockerignore` leaves to the build."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        text = (folder / ".dockerignore").read_text(encoding="utf-8")
        self._patterns = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]

    def has(self, path: str) -> bool:
        """Whether the build sees the relative `path`: the last pattern that it, or a folder above it, fits decides."""
        kept = True
        above = [path, *(str(parent) for parent in Path(path).parents if parent != Path())]
        for pattern in self._patterns:
            plain = pattern.removeprefix("!")
            if any(_fits(one, plain) for one in above):
                kept = pattern.startswith("!")
        return kept

    def files(self, source: str) -> Iterator[Path]:
        """The files at or below `source`, relative to the folder."""
        top = self._folder / source
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            relative = path.relative_to(self._folder)
            if path.is_file() and self.has(relative.as_posix()):
                yield relative


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch.fnmatchcase(Path(path).name, pattern.removeprefix("**/"))
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
