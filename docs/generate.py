"""A hook of MkDocs: what the reference says of the code is made from the code, and so never older than it.

A page says where, with the line `<!-- made from the code: NAME -->`. A setting, command, option, route, metric or
hyperparameter that has no text of its own is refused.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from docs import generate_cli, generate_config, generate_engine, generate_http, generate_server

ROOT = Path(__file__).resolve().parent.parent
MARK = re.compile(r"^<!-- made from the code: (\w+) -->$", re.MULTILINE)
PICTURE = re.compile(r"^!\[[^]]*\]\(\.\./images/([\w-]+\.svg)\)$", re.MULTILINE)
MAKERS: Mapping[str, Callable[[], str]] = {
    "settings": generate_server.settings,
    "prometheus": generate_server.prometheus,
    "cli": generate_cli.commands,
    "http": generate_http.calls,
    "config": generate_config.config,
    "recipes": generate_config.recipes,
    "engine": generate_engine.names,
}
TOP = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "README.ja.md": "ja.md"}
"""Pages of the top level that are pages of the documents too."""


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of the top level, and the seal that the app itself shows."""
    from mkdocs.structure.files import File

    for name, path in TOP.items():
        files.append(File.generated(config, path, content=moved((ROOT / name).read_text(encoding="utf-8"))))
    files.append(File.generated(config, "images/seal.svg", abs_src_path=str(ROOT / "static" / "favicon.svg")))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put what is made from the code into a page, and the drawn pictures themselves, which then follow its colours."""
    return PICTURE.sub(_drawn, filled(markdown))


def _drawn(found: re.Match[str]) -> str:
    svg = (ROOT / "docs" / "images" / found[1]).read_text(encoding="utf-8")
    line = re.sub(r"\n\s*", " ", svg)
    return f'<div class="picture" markdown="0" tabindex="0">{line}</div>'


def filled(markdown: str) -> str:
    """The page with each mark replaced. Raises Undocumented, and KeyError for a mark that nobody makes."""
    return MARK.sub(lambda found: MAKERS[found[1]](), markdown)


def moved(text: str) -> str:
    """A page of the top level as a page of the documents; what links to files of the source is plain text there."""
    text = text.replace("](docs/", "](")
    for page, path in {**TOP, "README.md": "index.md"}.items():
        text = text.replace(f"]({page}", f"]({path}")
    return re.sub(r"\[([^]]+)\]\((?!https?:|#|images/|[\w/.-]+\.md)[^)]+\)", r"\1", text)
