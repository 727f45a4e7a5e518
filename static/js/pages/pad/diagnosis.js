// The diagnosis "Why this answer?": the input, the network's input image, and the effect of each step of preprocessing.

import { explain, post } from "../../api/client.js";
import { asSentence, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { createBitmap, paintRows } from "../../images/bitmap.js";
import { byId, element, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { isKnown, withArticle } from "../../prediction/describe.js";

const EMPTY_WORDS = t("Draw something to see what happens to it on its way to the network.");
const NO_DIAGNOSIS = 404;

/** "a 3, 97.4 % (−0.3)": the prediction without one step, and the change of the first label's probability in points. */
export function changeText(original, other) {
  const points = ((other.probabilities[original.label] ?? 0) - (original.probabilities[original.label] ?? 0)) * 100;
  const size = Math.abs(points).toFixed(1);
  const moved = `${size === "0.0" ? "±" : points < 0 ? "−" : "+"}${size}`;
  if (other.label === null) return t("nothing is left to read");
  const read = t("{label}, {percent}", { label: withArticle(other.label), percent: percent(other.probabilities[other.label]) });
  const unknown = isKnown(other) ? "" : t(", but unclear");
  return other.label === original.label ? `${read}${unknown} (${moved})` : `${read}${unknown} (${original.label}: ${moved})`;
}

/**
 * Binds the panel, which opens by itself where a step changes the answer; it sends requests only while "Why this
 * answer?" is open. `subject()` returns `{model, body}` or null.
 */
export function createDiagnosis({ subject, openLarge }) {
  const panel = byId("doctor");
  const note = byId("doctor-note");
  const body = byId("doctor-body");
  const list = byId("doctor-steps");
  const pictures = { raw: byId("doctor-raw"), input: byId("doctor-input") };
  const disabled = new Set(); // the disabled steps
  const rows = new Map(); // by step
  let shown = null;
  let matters = false; // a step changes the label
  const requests = createLatest();

  for (const [name, title] of [["raw", t("Your drawing")], ["input", t("What the network sees")]]) {
    pictures[name].parentElement.addEventListener("click", () => shown && openLarge(shown[name], title));
  }

  function stepRow({ step, title: name, explanation }) {
    const box = element("input", { type: "checkbox", id: `step-${step}`, checked: true });
    const canvas = createBitmap();
    const large = element("button", { type: "button", class: "mini", "aria-label": t("Enlarge the image of {step}", { step: name.toLowerCase() }) }, canvas);
    const without = element("span", { class: "soft" });
    const change = element("span", { class: "step-change" });
    box.addEventListener("change", () => {
      disabled[box.checked ? "delete" : "add"](step);
      update();
    });
    large.addEventListener("click", () => {
      const other = shown?.without.find((one) => one.step === step);
      if (other) openLarge(other.input, disabled.has(step) ? t("{step} put back", { step: name }) : t("{step} left out", { step: name }));
    });
    const label = element("label", { for: box.id }, box, element("span", {}, element("strong", {}, name), ` ${explanation}`));
    const node = element("li", { class: "step" }, label, large, element("p", { class: "step-words" }, without, change));
    return { node, canvas, without, change };
  }

  async function update() {
    requests.drop();
    if (!panel.open) return;
    const found = subject();
    if (found === null) return showNothing(EMPTY_WORDS);
    const signal = requests.begin();
    body.setAttribute("aria-busy", "true");
    if (shown === null) setMessage(note, t("Checking …"));
    try {
      const path = `/api/doctor?model=${encodeURIComponent(found.model)}`;
      const report = await post(path, { ...found.body, steps: Object.fromEntries([...disabled].map((step) => [step, false])) }, { signal });
      if (!signal.aborted) show(report);
    } catch (error) {
      const message = error.status === NO_DIAGNOSIS ? t("This server cannot explain its answers.") : explain(error);
      if (!signal.aborted) showNothing(message);
    } finally {
      if (!signal.aborted) body.removeAttribute("aria-busy");
    }
  }

  /** Replaces the rows only if they change, so that a focused checkbox keeps the focus. */
  function listRows(nodes) {
    const same = nodes.length === list.children.length && nodes.every((node, place) => node === list.children[place]);
    if (!same) list.replaceChildren(...nodes);
  }

  function showNothing(words) {
    shown = null;
    body.hidden = true;
    setMessage(note, words);
  }

  function show(report) {
    shown = report;
    setMessage(note, "");
    body.hidden = false;
    paintRows(pictures.raw, report.raw);
    paintRows(pictures.input, report.input);
    byId("doctor-sentences").replaceChildren(...report.sentences.map((text) => element("li", {}, asSentence(text))));
    setText(byId("doctor-read"), readText(report));
    for (const other of report.without) if (!rows.has(other.step)) rows.set(other.step, stepRow(other));
    listRows(report.without.map(({ step }) => rows.get(step).node));
    const changes = report.without.some(({ label }) => label !== report.label);
    if (changes !== matters && disabled.size === 0) byId("doctor-more").open = changes;
    matters = changes;
    for (const other of report.without) {
      const row = rows.get(other.step);
      paintRows(row.canvas, other.input);
      setText(row.without, disabled.has(other.step) ? t("With this step: ") : t("Without this step: "));
      setText(row.change, changeText(report, other));
      row.node.toggleAttribute("data-differs", other.label !== report.label);
    }
  }

  return { update };
}

function readText(report) {
  if (report.label === null) return t("Nothing is left to read.");
  const share = percent(report.probabilities[report.label]);
  const values = { label: withArticle(report.label), percent: share };
  const all = report.without.every(({ step }) => report.steps[step]);
  if (isKnown(report)) return all ? t("Read as {label}, {percent}.", values) : t("With these steps: {label}, {percent}.", values);
  return all
    ? t("Read as {label}, {percent}, but unclear.", values)
    : t("With these steps: {label}, {percent}, but unclear.", values);
}
