"""Export as one JavaScript module: `import { predict } from "./NAME.js"`, without a server or other files.

It contains the preprocessing of strokes, the network with its calibration, and the weights as base64 in their stored
precision. Its scripts are those of the one-file page, its answers those of POST /predict.
"""

import base64
import json

from app import __version__
from app.models.formats.html import bundle_scripts, card_json, check_layers, scope_of
from app.models.formats.source import Source
from app.resources import bundled

ENTRY = "standalone/library"

_MODULE = """\
// {name}: a model of digitpad {version} that reads drawings in a page, without a server.
//
//   import {{ predict, collectStrokes, labels }} from "./{name}.js";
//   const pad = collectStrokes(document.querySelector("canvas"), {{
//     onStroke: (strokes) => console.log(predict(strokes).label),
//   }});
//   // pad.clear() wipes it; predict([[[x, y], ...], ...]) takes strokes of any size, y down

{script}

const card = {card};
export const {{ labels }} = card;
export const {{ collectStrokes }} = {scope};
/** The answer to strokes, [[[x, y], ...], ...], as from POST /predict. Throws TypeError for what is none. */
export const predict = {scope}.predictorOf(card, "{weights}");
"""


def write(source: Source) -> bytes:
    """The bytes of the module; equal models give equal bytes. Raises ValueError for an unsupported layer."""
    check_layers(source.network)
    return _MODULE.format(
        name=source.card.name,
        version=__version__,
        script=bundle_scripts(bundled("static") / "js", ENTRY),
        card=json.dumps(card_json(source.card), ensure_ascii=False, sort_keys=True),
        scope=scope_of(ENTRY),
        weights=base64.b64encode(source.weights).decode(),
    ).encode()
