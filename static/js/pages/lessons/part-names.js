// What people call the parts of the engine.

import { byId } from "../../lib/dom.js";

const names = JSON.parse(byId("learn-names")?.textContent ?? "{}");

/** "relu" → "ReLU". */
export const nameOf = (type) => names[type] ?? type;
