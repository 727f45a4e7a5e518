// Display names of the engine's layers, activations, losses and optimizers.

import { byId } from "../../lib/dom.js";

const names = JSON.parse(byId("learn-names")?.textContent ?? "{}");

/** "relu" → "ReLU". */
export const nameOf = (type) => names[type] ?? type;
