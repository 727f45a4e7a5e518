// Small trainings on the server: the batch size, and overfitting.

import { get } from "../../api/client.js";
import { createLines } from "../../charts/line-chart.js";
import { count, percent } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { choice, row, short, table } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";

/** The message about diverged trainings, each `{name, diverged}`; "" for none. */
const diverged = (runs) =>
  runs
    .filter((run) => run.diverged)
    .map(({ name }) => t("{name}: the numbers grew without bound (it diverged), and the training stopped.", { name }))
    .join(" ");

const SIZES = ["1", "10", "100", "all"];

export async function mountBatches(body) {
  const axis = choice(t("Horizontal axis"), [["images", t("images seen")], ["step", t("steps")]], "images", () => draw());
  const about = element("p", { class: "soft figure-about" });
  const chart = createLines({ label: t("Batch loss"), xTitle: "", yTitle: t("batch loss"), readAt: t("Read at"), hidden: [] });
  const numbers = table(t("Results"), [t("batch size"), t("steps"), t("seconds"), t("test accuracy")]);
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

export async function mountOverfitting(body, busy) {
  const ask = debounced((signal) => busy(() => load(signal)), 0);
  const dropout = choice(t("Dropout"), [["0", t("none")], ["0.2", "0.2"], ["0.5", "0.5"]], "0", ask);
  const decay = choice(t("Weight decay λ"), [["0", t("none")], ["0.01", "0.01"], ["0.1", "0.1"]], "0", ask);
  const metric = choice(t("Shown"), [["accuracy", t("accuracy")], ["loss", t("loss")]], "accuracy", () => draw());
  const about = element("p", { class: "soft figure-about" });
  const numbers = table(t("After the last epoch"), [t("setting"), t("on training images"), t("on unseen images"), t("gap")]);
  const chart = createLines({ label: t("Accuracy after each epoch"), xTitle: t("epoch"), yTitle: t("accuracy"), readAt: t("Epoch") });
  const trouble = element("p", { class: "figure-about", role: "status" });
  body.replaceChildren(row(dropout.node, decay.node, metric.node), about, trouble, chart.node, numbers.node);
  let runs = [];

  const trial = (drop, lambda) => get(`/api/explain/overfitting?${new URLSearchParams({ dropout: drop, weight_decay: lambda })}`);

  async function load(signal) {
    const [drop, lambda] = [dropout.value(), decay.value()];
    const found = [{ id: "plain", name: t("unchanged"), ...(await trial("0", "0")) }];
    if (drop !== "0" || lambda !== "0") found.push({ id: "helped", name: t("with your choice"), ...(await trial(drop, lambda)) });
    if (signal?.aborted) return;
    runs = found;
    draw();
  }

  function draw() {
    if (runs.length === 0) return; // the first training has not ended
    const key = metric.value();
    const lines = runs.flatMap(({ id, name, epochs }, i) => {
      const x = epochs.map(({ epoch }) => epoch);
      return [
        { id: `${id}-train`, name: t("{run}, training", { run: name }), x, y: epochs.map((one) => one[`train_${key}`]), style: i === 0 ? 0 : 10 },
        { id: `${id}-test`, name: t("{run}, test", { run: name }), x, y: epochs.map((one) => one[`test_${key}`]), style: i === 0 ? 1 : 11 },
      ];
    });
    setText(trouble, diverged(runs));
    chart.show({ series: lines, yTitle: key === "loss" ? t("loss") : t("accuracy") });
    numbers.show(
      runs.map(({ id, name, epochs }) => {
        const last = epochs.at(-1);
        const cell = (what, value) => element("span", { "data-run": `${id}-${what}` }, percent(value));
        const gap = last === undefined ? undefined : last.train_accuracy - last.test_accuracy;
        return [name, cell("train", last?.train_accuracy), cell("test", last?.test_accuracy), percent(gap)];
      }),
    );
    const { dataset, images, unseen, parameters } = runs[0];
    setText(about, t("{dataset}: {images} training images, {unseen} unseen ones; {parameters} parameters.", { dataset, images: count(images), unseen: count(unseen), parameters: count(parameters) }));
  }

  await load();
}
