// A training image and its pixel values.

import { get } from "../../api/client.js";
import { t } from "../../i18n/translate.js";
import { fromBase64, paintBytes } from "../../images/bitmap.js";
import { button, row, slider, table } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { bindNumber, sayResult } from "./numbers.js";

const AROUND = 3; // pixels on each side of the selected one

export async function mountPixels(body, busy) {
  let index = 0;
  let found = null;
  const canvas = element("canvas", { class: "pixels-picture", width: 28, height: 28, role: "img" });
  const frame = element("div", { class: "pixels-frame" }, canvas);
  const said = element("p", { class: "figure-verdict", role: "status", "data-pixels": "said" });
  const numbers = table(t("The numbers around this place"), []);
  const line = slider(t("Row, from the top"), { min: 0, max: 27, step: 1, value: 14 }, show);
  const column = slider(t("Column, from the left"), { min: 0, max: 27, step: 1, value: 14 }, show);
  bindNumber("row", line.field);
  bindNumber("column", column.field);
  const ask = debounced((signal) => busy(() => load(signal)), 0);
  const move = (by) => () => {
    index = (index + by + (found?.count ?? 1)) % (found?.count ?? 1);
    ask();
  };
  const side = element("div", { class: "figure-side" }, said, row(line.node, column.node), numbers.node);
  body.replaceChildren(row(button(t("Previous image"), move(-1)), button(t("Next image"), move(1))), element("div", { class: "figure-pair" }, frame, side));

  async function load(signal) {
    const answer = await get(`/api/explain/image?index=${index}`);
    if (signal?.aborted) return;
    found = answer;
    show();
  }

  function show() {
    if (found === null) return;
    const [y, x] = [line.value(), column.value()];
    paintBytes(canvas, fromBase64(found.pixels));
    const pen = canvas.getContext("2d");
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
    pen.fillRect(x, y, 1, 1);
    canvas.setAttribute("aria-label", t("An image labelled {label}", { label: found.label }));
    const value = found.values[y][x].toFixed(2);
    sayResult("pixel", value);
    setText(said, t("{dataset}, image {index}, labelled {label}. Row {row}, column {column}: {value}", { dataset: found.dataset, index: found.index, label: found.label, row: y, column: x, value }));
    const near = Array.from({ length: 2 * AROUND + 1 }, (_, i) => i - AROUND);
    const text = (dy, dx) => found.values[y + dy]?.[x + dx]?.toFixed(2) ?? "";
    numbers.body.replaceChildren(...near.map((dy) => element("tr", {}, ...near.map((dx) => element("td", { class: dx === 0 && dy === 0 ? "here" : null }, text(dy, dx))))));
  }

  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const place = (at, start, size) => Math.max(0, Math.min(27, Math.floor(((at - start) / size) * 28)));
    line.set(place(event.clientY, box.top, box.height));
    column.set(place(event.clientX, box.left, box.width));
    show();
  });
  await load();
}
