// Overfitting: a training on few images, with and without what helps against it.

import { get } from "./api.js";
import { element, setText } from "./dom.js";
import { count, percent } from "./format.js";
import { createLines } from "./learn-chart.js";
import { choice, diverged, latest, row, table } from "./learn-controls.js";
import { t } from "./words.js";

export async function mountOverfitting(body, busy) {
  const ask = latest((isLatest) => busy(() => load(isLatest)), 0);
  const dropout = choice(t("Dropout"), [["0", t("none")], ["0.2", "0.2"], ["0.5", "0.5"]], "0", ask);
  const decay = choice(t("Weight decay λ"), [["0", t("none")], ["0.01", "0.01"], ["0.1", "0.1"]], "0", ask);
  const metric = choice(t("Shown"), [["accuracy", t("accuracy")], ["loss", t("loss")]], "accuracy", () => draw());
  const about = element("p", { class: "soft figure-about" });
  const numbers = table(t("After the last epoch"), [t("setting"), t("on what it learned from"), t("on what it never saw"), t("gap")]);
  const chart = createLines({ label: t("Accuracy after each epoch"), xTitle: t("epoch"), yTitle: t("accuracy"), readAt: t("Epoch") });
  const trouble = element("p", { class: "figure-about", role: "status" });
  body.replaceChildren(row(dropout.node, decay.node, metric.node), about, trouble, chart.node, numbers.node);
  let runs = [];

  const trial = (drop, lambda) => get(`/api/explain/overfitting?${new URLSearchParams({ dropout: drop, weight_decay: lambda })}`);

  async function load(isLatest = () => true) {
    const [drop, lambda] = [dropout.value(), decay.value()];
    const found = [{ id: "plain", name: t("as it is"), ...(await trial("0", "0")) }];
    if (drop !== "0" || lambda !== "0") found.push({ id: "helped", name: t("with your choice"), ...(await trial(drop, lambda)) });
    if (!isLatest()) return;
    runs = found;
    draw();
  }

  function draw() {
    if (runs.length === 0) return; // the first training is not over
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
    setText(about, t("{dataset}: {images} images to learn from, {unseen} it never saw; {parameters} parameters.", { dataset, images: count(images), unseen: count(unseen), parameters: count(parameters) }));
  }

  await load();
}
