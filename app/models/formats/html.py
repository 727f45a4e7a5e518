"""Export as one HTML file with a pad that works without a server.

It contains the pad, the preprocessing of strokes, the network with its calibration, and the weights as base64 in their
stored precision. Its scripts and styles are those of the pages, its answers those of POST /predict.
"""

import base64
import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from app import __version__
from app.errors import InputError
from app.i18n.catalog import KEYS, LANGUAGES, key_id, read_texts
from app.models.card import ModelCard
from app.models.formats.source import Source
from app.nn import Network
from app.resources import bundled

_IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"(?P<path>\.{1,2}/[\w./-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) (\w+)", re.MULTILINE)
_ENDS = re.compile(r"</script|<!--", re.IGNORECASE)


def bundle_scripts(folder: Path, entry: str) -> str:
    """Module `entry` of `folder` and all that it imports, each in its own scope, dependencies first.

    It supports named imports, and exports before a declaration, without cycles. Raises ValueError for others.
    """
    parts: list[str] = []
    _add(folder, entry, parts, set(), ())
    script = "\n".join(parts)
    if _ENDS.search(script):
        raise InputError("expected scripts without what ends or hides one in a page")
    return script


def _add(folder: Path, name: str, parts: list[str], done: set[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise InputError("expected modules that do not need one another; got {names}", names=" → ".join((*above, name)))
    if name in done:
        return
    source = (folder / f"{name}.js").read_text(encoding="utf-8")
    for found in _IMPORT.finditer(source):
        _add(folder, _resolved(found, name), parts, done, (*above, name))
    done.add(name)
    exports = [found[2] for found in _EXPORT.finditer(source)]
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(partial(_imported, importer=name), source))
    if re.search(r"^(import|export)\b|\bimport\(", body, re.MULTILINE):
        raise InputError("expected named imports and exports alone", field=f"{name}.js")
    parts.append(f"const {scope_of(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();")


def _imported(found: re.Match[str], importer: str) -> str:
    if found["names"] is None:
        return ""
    return f"const {{{found['names'].replace(' as ', ': ')}}} = {scope_of(_resolved(found, importer))};\n"


def _resolved(found: re.Match[str], importer: str) -> str:
    """The path of an imported module relative to the folder, without `.js`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), found["path"]))


def scope_of(name: str) -> str:
    """The variable of a bundled module's exports."""
    return "module_" + re.sub(r"\W", "_", name)


ENTRY = "standalone/index"
STYLES = (
    "base/tokens",
    "base/layout",
    *(f"components/{name}" for name in ("controls", "drawing", "answer", "zoom-dialog")),
    "pages/pad",
)
TEMPLATE = "standalone.html"
LAYERS = (
    *("dense", "conv2d", "batch_norm", "max_pool2d", "average_pool2d", "flatten", "dropout"),
    *("identity", "step", "relu", "leaky_relu", "sigmoid", "tanh", "gelu", "softmax"),
)
"""The layers that static/js/standalone/network.js computes."""
SHOWN = ("name", "labels", "input_scale", "network", "calibration")


def write(source: Source) -> bytes:
    """The bytes of the page; equal models give equal bytes. Raises ValueError for an unsupported layer."""
    check_layers(source.network)
    static, templates = bundled("static"), bundled("templates")
    script = bundle_scripts(static / "js", ENTRY)
    sheets = {name: (static / "css" / f"{name}.css").read_text(encoding="utf-8") for name in (*STYLES, "base/dark")}
    sheets["base/tokens"] += f"\n@media (prefers-color-scheme: dark) {{\n{sheets.pop('base/dark')}}}\n"
    style = "\n".join(sheets.values())
    if "</style" in style:
        raise InputError("expected styles without what ends one in a page")
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(default=True),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    icon = base64.b64encode((static / "favicon.svg").read_bytes()).decode()
    page = environment.get_template(TEMPLATE).render(
        model=source.card,
        version=__version__,
        policy=_policy(script, style),
        icon=f"data:image/svg+xml;base64,{icon}",
        style=Markup(style),
        script=Markup(script),
        languages=LANGUAGES,
        card=htmlsafe_json_dumps(card_json(source.card)),
        words={tag: htmlsafe_json_dumps(table, dumps=_dump) for tag, table in _words(script).items()},
        weights=base64.b64encode(source.weights).decode(),
        pictures=False,
    )
    return page.encode()


def check_layers(network: Network) -> None:
    """Raise ValueError for a layer that static/js/standalone/network.js does not compute."""
    for index, layer in enumerate(network.layers):
        if layer.type not in LAYERS:
            raise InputError(
                "expected one of {names}; got {value}",
                field=f"layers[{index}]",
                names=", ".join(LAYERS),
                value=layer.type,
            )


def card_json(card: ModelCard) -> dict[str, Any]:
    """The part of the card for the page's script."""
    return card.model_dump(mode="json", include=set(SHOWN))


def _policy(script: str, style: str) -> str:
    """The content security policy: only this script and style, and data images."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(script)}",
            f"style-src {_source(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _words(script: str) -> Mapping[str, Mapping[str, str]]:
    """The page's texts for each language but that of the keys."""
    templates = bundled("templates")
    parts = [
        path.read_text(encoding="utf-8")
        for path in (templates / TEMPLATE, *sorted((templates / "partials").glob("*.html")))
    ]
    source = "\n".join((script, *parts))
    return {
        tag: {
            key_id(entry.key): entry.text
            for entry in read_texts(tag)
            if json.dumps(entry.key, ensure_ascii=False) in source
        }
        for tag in LANGUAGES
        if tag != KEYS
    }


def _dump(table: Mapping[str, str]) -> str:
    return json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
