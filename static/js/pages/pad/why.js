// "Why this answer?": the ink that speaks for the answer and for another label, and similar training images of both.

import { explain, post } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { rgb } from "../../charts/canvas.js";
import { decode } from "../../charts/heatmap-data.js";
import { percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { createBitmap, fromBase64, paintBytes } from "../../images/bitmap.js";
import { openPicture } from "../../images/zoom-dialog.js";
import { byId, element, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { onThemeChange } from "../../lib/theme.js";

const EMPTY_WORDS = t("Draw something to see why the network reads it as it does.");
const SHADES = 0.6; // the exponent of the colour scale, which keeps small parts visible

/** Binds the panel; it sends requests only while open. `subject()` returns `{model, labels, body}` or null. */
export function createWhy({ subject }) {
  const body = byId("why");
  const choice = byId("why-other");
  const requests = createLatest();
  let shown = null; // the answer of /api/explain/contrast

  async function update(other = null) {
    requests.drop();
    if (!byId("doctor").open) return;
    const found = subject();
    if (found === null) return showNothing(EMPTY_WORDS);
    const signal = requests.begin();
    const { model, labels } = found;
    const drawing = found.body.image === undefined ? { strokes: found.body.strokes } : { image: found.body.image };
    const address = new URLSearchParams({ model, drawing: "last" });
    byId("why-inside").href = `${withRoot("/learn/inside")}?${address}`;
    byId("why-map").href = withRoot(`/models/${encodeURIComponent(model)}/map`);
    body.setAttribute("aria-busy", "true");
    if (shown === null) setMessage(byId("why-note"), t("Looking for reasons …"));
    try {
      show(await post("/api/explain/contrast", { drawing, model, ...(other === null ? {} : { other }) }, { signal }), labels);
      await showNearest({ drawing, model }, signal);
    } catch (error) {
      if (!signal.aborted) showNothing(explain(error));
    } finally {
      if (!signal.aborted) body.removeAttribute("aria-busy");
    }
  }

  function showNothing(words) {
    shown = null;
    body.hidden = true;
    setMessage(byId("why-note"), words);
  }

  function show(answer, labels) {
    shown = answer;
    setMessage(byId("why-note"), "");
    body.hidden = false;
    const { label, other } = answer;
    const shares = { percent: percent(answer.probability), otherPercent: percent(answer.other_probability) };
    setText(byId("why-words"), t("It reads {label} ({percent}) rather than {other} ({otherPercent}).", { label, other, ...shares }));
    setText(byId("why-for"), t("ink that speaks for {label}", { label }));
    setText(byId("why-against"), t("ink that speaks for {label}", { label: other }));
    byId("why-open").setAttribute("aria-label", t("Enlarge the ink that speaks for {label} and for {other}", { label, other }));
    choice.replaceChildren(...labels.filter((one) => one !== label).map((one) => element("option", { value: one, selected: one === other }, one)));
    choice.value = other;
    paint(byId("why-ink"));
  }

  const paint = (canvas) => paintContrast(canvas, shown);

  async function showNearest({ drawing, model }, signal) {
    const { label, other } = shown;
    const near = byId("why-near");
    if (near.childElementCount === 0) near.replaceChildren(element("p", { class: "soft" }, t("Looking through the training images …")));
    try {
      const { labels } = await post("/api/explain/nearest", { drawing, model, labels: [label, other] }, { signal });
      if (!signal.aborted) near.replaceChildren(...[label, other].map((one) => nearRow(one, labels[one])));
    } catch (error) {
      if (!signal.aborted) near.replaceChildren(element("p", { class: "soft" }, explain(error)));
    }
  }

  choice.addEventListener("change", () => update(choice.value));
  byId("why-open").addEventListener("click", () => {
    const text = t("Each pixel's part in the answer: the stronger the colour, the larger.");
    openPicture({ paint, title: t("{label} or {other}?", shown), text });
  });
  onThemeChange(() => shown !== null && paint(byId("why-ink")));

  return { update: () => update() };
}

function nearRow(label, images) {
  const rows = images.map((one) => {
    const bytes = fromBase64(one.pixels);
    const values = { label, dataset: one.dataset, percent: percent(Math.max(0, one.similarity), 0) };
    const title = t("A {label} of {dataset}, {percent} similar", values);
    const button = element("button", { type: "button", class: "mini", title, "aria-label": title }, createBitmap(bytes));
    const text = t("Similar to the network: the cosine of the angle between both in its last hidden layer.");
    button.addEventListener("click", () => openPicture({ paint: (canvas) => paintBytes(canvas, bytes), title, text }));
    return button;
  });
  const images_ = rows.length > 0 ? element("div", { class: "why-images" }, ...rows) : element("p", { class: "soft" }, t("none"));
  return element("div", { class: "why-label", "data-near": label }, element("h3", {}, t("Training images of {label} most like it", { label })), images_);
}

/** Paints the drawing: what speaks for the label in the accent, what speaks for the other one in blue. */
export function paintContrast(canvas, { pixels, picture }) {
  const style = getComputedStyle(document.documentElement);
  const [paper, ink, plus, minus] = ["sheet", "line", "accent", "validation"].map((name) => rgb(style.getPropertyValue(`--${name}`)));
  const values = decode(picture);
  const most = Math.max(...values.map(Math.abs)) || 1;
  const image = new ImageData(pixels[0].length, pixels.length);
  pixels.flat().forEach((value, i) => {
    const share = Math.min(1, Math.abs(values[i]) / most) ** SHADES;
    const neutral = mix(paper, ink, value);
    image.data.set([...mix(neutral, values[i] < 0 ? minus : plus, share), 255], i * 4);
  });
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const mix = (from, to, share) => Array.from(from, (value, i) => value + (to[i] - value) * share);
