// The size of a batch: the same images, the same number of epochs, other steps.

import { get } from "./api.js";
import { element, setText } from "./dom.js";
import { count, percent } from "./format.js";
import { createLines } from "./learn-chart.js";
import { choice, diverged, row, short, table } from "./learn-controls.js";
import { t } from "./words.js";

const SIZES = ["1", "10", "100", "all"];

export async function mountBatches(body) {
  const axis = choice(t("Along the bottom"), [["images", t("images seen")], ["step", t("steps")]], "images", () => draw());
  const about = element("p", { class: "soft figure-about" });
  const chart = createLines({ label: t("Loss of the batches"), xTitle: "", yTitle: t("loss of the batches"), readAt: t("Read at"), hidden: [] });
  const numbers = table(t("What each came to"), [t("batch size"), t("steps"), t("seconds"), t("test accuracy")]);
  const trouble = element("p", { class: "figure-about", role: "status" });
  body.replaceChildren(row(axis.node), about, trouble, chart.node, numbers.node);
  const found = [];
  for (const size of SIZES) found.push(await get(`/api/explain/batches?batch_size=${size}`));
  const nameAt = (i) => (SIZES[i] === "all" ? t("all {images}", { images: count(found[i].batch_size) }) : SIZES[i]);

  function draw() {
    const key = axis.value();
    chart.show({
      xTitle: key === "images" ? t("images seen") : t("steps"),
      series: found.map(({ losses }, i) => ({ id: SIZES[i], name: t("batches of {size}", { size: nameAt(i) }), x: losses.map((one) => one[key]), y: losses.map((one) => one.loss) })),
    });
  }

  draw();
  numbers.show(
    found.map(({ steps, seconds, epochs }, i) => {
      const cell = (what, text) => element("span", { "data-batch": `${SIZES[i]}-${what}` }, text);
      return [nameAt(i), cell("steps", count(steps)), cell("seconds", short(seconds)), cell("accuracy", percent(epochs.at(-1)?.test_accuracy))];
    }),
  );
  setText(trouble, diverged(found.map((run, i) => ({ name: t("batches of {size}", { size: nameAt(i) }), diverged: run.diverged }))));
  setText(about, t("{dataset}: {images} images, {epochs} epochs each.", { dataset: found[0].dataset, images: count(found[0].images), epochs: Math.max(...found.map(({ epochs }) => epochs.length)) }));
}
