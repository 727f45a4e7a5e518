// A network with a hidden layer learns a gate: its output over the plane, epoch by epoch.

import { get } from "../../api/client.js";
import { createLines } from "../../charts/line-chart.js";
import { createPlane, levelLine, points, shade, strokePieces } from "../../charts/plane.js";
import { nearest } from "../../charts/scale.js";
import { t } from "../../i18n/translate.js";
import { fromBase64 } from "../../images/bitmap.js";
import { choice, player, row, short, slider, table } from "../../lib/controls.js";
import { element, setText } from "../../lib/dom.js";
import { debounced } from "../../lib/latest.js";
import { filmButtons } from "./film-buttons.js";
import { nameOf } from "./part-names.js";
import { GATES, playerWords } from "./perceptron.js";

export async function mountTwoLayers(body, busy) {
  let seed = 2;
  let found = null;
  let isReading = false; // the chart's slider moves, and with it the plane
  const ask = debounced((signal) => busy(() => load(signal)));
  const gate = choice(t("Gate"), GATES, "xor", ask);
  const activation = choice(t("Activation"), ["tanh", "sigmoid", "relu"].map((type) => [type, nameOf(type)]), "tanh", ask);
  const units = slider(t("Hidden units"), { min: 1, max: 8, step: 1, value: 4 }, ask);
  const rate = slider(t("Learning rate η"), { min: 0.05, max: 2, step: 0.05, value: 0.5 }, ask);
  const plane = createPlane({ label: t("The plane of the two inputs"), xTitle: "x₁", yTitle: "x₂", square: true });
  const where = element("p", { class: "figure-verdict", role: "status" });
  const truth = table(t("Targets and answers"), ["x₁, x₂", t("target t"), t("probability of 1")]);
  const chart = createLines({ label: t("The loss of the two-layer network"), xTitle: t("epoch"), yTitle: t("loss"), readAt: t("Epoch"), onRead: readEpoch });
  const play = player({ count: () => found?.frames.length ?? 1, go: show, milliseconds: 120, words: playerWords() });
  const other = element("button", { type: "button", class: "button" }, t("New initial weights"));
  other.addEventListener("click", () => {
    seed += 1;
    ask();
  });
  play.node.append(other, ...filmButtons({ title: t("The plane of the two inputs"), play, count: () => found.frames.length, canvas: plane.canvas, name: () => `two-layers-${gate.value()}`, caption: () => t("epoch {epoch} of {epochs}", { epoch: found.frames[play.at()].epoch, epochs: found.epochs }) }));
  const side = element("div", { class: "figure-side" }, where, chart.node);
  body.replaceChildren(row(gate.node, activation.node, units.node, rate.node), play.node, element("div", { class: "figure-pair" }, plane.node, side), truth.node);

  /** Goes to the frame that is nearest to an epoch of the chart. */
  function readEpoch(epoch) {
    if (found === null) return;
    play.stop();
    isReading = true;
    play.set(nearest(found.frames.map((frame) => frame.epoch), epoch));
    isReading = false;
  }

  async function load(signal) {
    const query = { gate: gate.value(), activation: activation.value(), units: units.value(), learning_rate: rate.value(), seed };
    const answer = await get(`/api/explain/two-layers?${new URLSearchParams(query)}`);
    if (signal?.aborted) return;
    found = { ...answer, frames: answer.frames.map((frame) => ({ ...frame, plane: [...fromBase64(frame.plane)].map((byte) => byte / 255) })) };
    play.stop();
    const [x, y] = [found.frames.map(({ epoch }) => epoch), found.frames.map(({ loss }) => loss)];
    chart.show({ series: [{ id: "loss", name: t("loss"), x, y }], isLog: true });
    play.set(0);
  }

  function show(at) {
    if (found === null) return;
    const { epoch, loss, outputs, plane: said } = found.frames[at];
    const { side: count, inputs, targets } = found;
    const range = { x: found.range, y: found.range };
    if (!isReading) chart.readAt(epoch);
    truth.show(inputs.map((x, i) => [`${x[0]}, ${x[1]}`, String(targets[i]), element("span", { "data-output": i }, short(outputs[i]))]));
    const right = outputs.filter((output, i) => output > 0.5 === (targets[i] === 1)).length;
    where.setAttribute("aria-live", play.isPlaying() ? "off" : "polite"); // not announced at every tick
    setText(where, t("Epoch {epoch} of {epochs}: loss {loss}; {right} of 4 are right.", { epoch, epochs: found.epochs, loss: short(loss), right }));
    plane.show(range, (pen, place, theme) => {
      shade(pen, place, said, range, count, count, theme.validation, (value) => value);
      pen.strokeStyle = theme.ink;
      pen.lineWidth = 2;
      strokePieces(pen, place, levelLine(said, count, count, 0.5), range, count, count);
      points(pen, place, theme, inputs, targets);
    });
  }

  await load();
}
