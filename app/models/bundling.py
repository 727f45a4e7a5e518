"""The modules of `static/js` as one script, for a page that can load none."""

import posixpath
import re
from functools import partial
from pathlib import Path

_IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"(?P<path>\.{1,2}/[\w./-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) (\w+)", re.MULTILINE)
_ENDS = re.compile(r"</script|<!--", re.IGNORECASE)


def bundle_scripts(folder: Path, entry: str) -> str:
    """Module `entry` of `folder` and all that it imports, each in a scope of its own, those that are needed first.

    It knows the imports and exports that these modules have: named ones, each export before its declaration, no two
    modules that need one another. Raises ValueError for others.
    """
    parts: list[str] = []
    _add(folder, entry, parts, set(), ())
    script = "\n".join(parts)
    if _ENDS.search(script):
        raise ValueError("expected scripts without what ends or hides one in a page")
    return script


def _add(folder: Path, name: str, parts: list[str], done: set[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"expected modules that do not need one another; got {' → '.join((*above, name))}")
    if name in done:
        return
    source = (folder / f"{name}.js").read_text(encoding="utf-8")
    for found in _IMPORT.finditer(source):
        _add(folder, _resolved(found, name), parts, done, (*above, name))
    done.add(name)
    exports = [found[2] for found in _EXPORT.finditer(source)]
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(partial(_imported, importer=name), source))
    if re.search(r"^(import|export)\b|\bimport\(", body, re.MULTILINE):
        raise ValueError(f"{name}.js: expected named imports and exports alone")
    parts.append(f"const {_scope(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();")


def _imported(found: re.Match[str], importer: str) -> str:
    if found["names"] is None:
        return ""
    return f"const {{{found['names'].replace(' as ', ': ')}}} = {_scope(_resolved(found, importer))};\n"


def _resolved(found: re.Match[str], importer: str) -> str:
    """The path of an imported module from the top of the folder, without `.js`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), found["path"]))


def _scope(name: str) -> str:
    return "module_" + re.sub(r"\W", "_", name)
