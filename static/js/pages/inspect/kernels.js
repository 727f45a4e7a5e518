// Kernels: the window of a convolution or a pooling layer slides over the drawing, and its map grows.

import { explain } from "../../api/client.js";
import { withRoot } from "../../api/root.js";
import { createCells } from "../../charts/heatmap.js";
import { decode, gridOf, num } from "../../charts/heatmap-data.js";
import { count } from "../../i18n/format.js";
import { t } from "../../i18n/translate.js";
import { checkAffordable } from "../../inside/live-network.js";
import { createSlidingWindow, slidingLayers } from "../../inside/sliding-window.js";
import { loadNetwork } from "../../inside/stored-network.js";
import { layerName, placeName, typeName } from "../../labels/layer-text.js";
import { recipeTitle } from "../../labels/titles.js";
import { byId, element, setMessage, setText } from "../../lib/dom.js";
import { createLatest } from "../../lib/latest.js";
import { trace } from "../../standalone/network.js";

const SIZE = 300; // CSS pixels of the input and of the map
const KERNEL_SIZE = 44; // CSS pixels of a kernel among all
const MOST_WEIGHTS = 8192; // of all kernels of a layer for one channel that are shown
const MANY = 36; // filters whose kernels are scrolled through
const MOST_CELLS = 49; // numbers of a window that are written out
const LONGEST_STEP = 250; // ms of a frame that count; more pass in a page that nobody sees
const DECIMALS = 3; // of a number in a cell
const STILL = window.matchMedia("(prefers-reduced-motion: reduce)");

const largest = (numbers) => numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const flat = (pixels, height, width) => ({ shape: [1, height, width], first: 0, total: 1, low: 0, high: 0, values: pixels });
/** A number that fits a cell: "0.000" is a small one that is not zero. */
const short = (value) => {
  if (value === 0) return "0";
  const text = Math.abs(value) < 10 ? value.toFixed(DECIMALS) : value.toPrecision(DECIMALS);
  return text.replace("-", "−").replace(/^(−?\d+\.\d*[1-9])0+$/, "$1").replace(/^(−?[1-9]\d*)\.0+$/, "$1");
};
const options = (select, texts, chosen) => {
  select.replaceChildren(...texts.map((text, i) => element("option", { value: i }, text)));
  select.value = chosen;
};

/** Binds the part. `models` are those of the page, `recipes` the names of those with a convolution; `look(name)` takes a model. */
export function createKernels({ models, recipes, look }) {
  const selects = { layer: byId("kernels-layer"), map: byId("kernels-map"), channel: byId("kernels-channel"), pace: byId("kernels-pace") };
  const play = byId("kernels-play");
  const where = byId("kernels-where");
  const loading = createLatest();
  let model = null; // of the page
  let network = null; // {card, arrays} of the model, once it is needed
  let values = null; // of all layers
  let view = null; // the window of the chosen layer
  let [index, map, channel, place] = [null, 0, 0, [0, 0]];
  let seen = new Uint8Array(0); // 1 for each place of the map where the window has been
  let most = { input: 0, kernel: 0, map: 0 };
  let [frame, since] = [0, 0];
  let hasCome = false; // true once a window has been shown

  const rowOf = (at, width) => [Math.floor(at / width), at % width];
  const input = createCells(byId("kernels-input"), {
    label: t("The image under the window. The arrow keys read its numbers."),
    name(at) {
      const { padding, height, width } = view;
      const [row, column] = rowOf(at, padding.left + width + padding.right).map((value, axis) => value - (axis === 0 ? padding.top : padding.left));
      return row < 0 || column < 0 || row >= height || column >= width ? t("padding") : placeName([row, column]);
    },
    onDrag: (at) => go(view.nearest(...rowOf(at, view.padding.left + view.width + view.padding.right))),
    size: SIZE,
  });
  const output = createCells(byId("kernels-output"), {
    label: t("The map. The arrow keys move the window."),
    name: (at) => placeName(rowOf(at, view.columns)),
    onDrag: (at) => go(rowOf(at, view.columns)),
    followsKeys: true,
    size: SIZE,
  });
  const inWindow = (at) => placeName(rowOf(at, view.kernel[1]));
  const pictures = {
    window: createCells(byId("kernels-window"), { label: t("The numbers in the window"), name: inWindow }),
    kernel: createCells(byId("kernels-kernel"), { label: t("The weights of the kernel"), name: inWindow }),
    products: createCells(byId("kernels-products"), { label: t("The products"), name: inWindow }),
  };
  const kernels = createCells(byId("kernels-filters"), {
    label: t("The kernels of all filters. Enter chooses one."),
    name(at) {
      const area = view.kernel[0] * view.kernel[1];
      return t("filter {number}, {place}", { number: count(Math.floor(at / area) + 1), place: inWindow(at % area) });
    },
    onChoose(at) {
      selects.map.value = Math.floor(at / (view.kernel[0] * view.kernel[1]));
      useMap(Number(selects.map.value));
    },
    size: KERNEL_SIZE,
  });
  const sums = createCells(byId("kernels-sums"), {
    label: t("The sum of each input channel. Enter chooses one."),
    name: (at) => t("channel {number}", { number: at + 1 }),
    onChoose(at) {
      channel = at;
      selects.channel.value = at;
      prepare();
    },
  });

  // The network

  /** Takes the answer of /api/explain/forward, or null for none. */
  async function use(next, answer) {
    const signal = loading.begin();
    if (next !== model) {
      showEmpty();
      [model, network, view] = [next, null, null];
    }
    setMessage(byId("kernels-error"), "");
    const slides = answer === null ? next.network.includes("@") : slidingLayers(answer.layers).length > 0;
    if (!slides) return showNone();
    if (answer === null) return showEmpty();
    byId("kernels-none").hidden = true;
    try {
      if (network === null) setText(byId("kernels-empty"), t("The weights are on their way …"));
      const found = network ?? checked(await loadNetwork(next.name, { signal }));
      if (signal.aborted) return;
      network = found;
      values = trace(network.card.network, network.arrays, Float64Array.from(decode(answer.input.picture)));
    } catch (error) {
      if (signal.aborted) return;
      showEmpty();
      byId("kernels-empty").hidden = true;
      setMessage(byId("kernels-error"), error instanceof RangeError ? t("This network is too large to be followed in the browser.") : explain(error));
      return;
    }
    byId("kernels-empty").hidden = true;
    byId("kernels-body").hidden = false;
    if (view === null) chooseLayers();
    else useLayer(index);
    if (!hasCome && location.hash === "#kernels") byId("kernels").scrollIntoView(); // what stands above has grown
    hasCome = true;
  }

  function checked(found) {
    checkAffordable(found.card.network, found.arrays);
    return found;
  }

  function showEmpty() {
    pause();
    byId("kernels-none").hidden = byId("kernels-body").hidden = true;
    byId("kernels-empty").hidden = false;
    setText(byId("kernels-empty"), t("Draw a digit above to let a window slide over it."));
  }

  function showNone() {
    showEmpty();
    byId("kernels-empty").hidden = true;
    byId("kernels-none").hidden = false;
    const others = models.filter(({ network: outline }) => outline.includes("@"));
    byId("kernels-models").replaceChildren(
      ...others.map(({ name }) => {
        const button = element("button", { type: "button", class: "button strong" }, t("Look into {name}", { name }));
        button.addEventListener("click", () => look(name));
        return button;
      }),
    );
    byId("kernels-recipes").replaceChildren(...recipes.map((name) => element("a", { href: withRoot(`/train?recipe=${encodeURIComponent(name)}`) }, recipeTitle(name))));
  }

  // The choices

  function chooseLayers() {
    const { layers } = network.card.network;
    const found = slidingLayers(layers);
    selects.layer.replaceChildren(...found.map((one) => element("option", { value: one }, layerName({ index: one, type: layers[one].type }))));
    [index, seen] = [null, new Uint8Array(0)];
    selects.layer.value = found[0];
    useLayer(found[0]);
  }

  function useLayer(next) {
    const isNew = next !== index;
    index = next;
    view = createSlidingWindow(network.card.network, network.arrays, values, index);
    if (isNew) {
      [map, channel] = [0, 0];
      setText(byId("kernels-map-name"), view.isConvolution ? t("Filter") : t("Feature map"));
      options(selects.map, Array.from({ length: view.maps }, (_, i) => t("{number} of {total}", { number: count(i + 1), total: count(view.maps) })), map);
      options(selects.channel, Array.from({ length: view.channels }, (_, i) => t("{number} of {total}", { number: count(i + 1), total: count(view.channels) })), channel);
      byId("kernels-channel-field").hidden = !view.isConvolution || view.channels === 1;
      useMap(map);
    } else prepare();
  }

  /** Shows another map as a whole, with the window at its strongest place. */
  function useMap(next) {
    pause();
    map = next;
    seen = new Uint8Array(view.rows * view.columns).fill(1);
    place = view.strongest(map);
    if (view.isConvolution && view.channels > 1) channel = strongestChannel();
    selects.channel.value = channel;
    prepare();
  }

  function strongestChannel() {
    const found = view.numberAt(map, ...place).sums;
    return found.reduce((best, value, i) => (Math.abs(value) > Math.abs(found[best]) ? i : best), 0);
  }

  /** What stays the same while the window moves. */
  function prepare() {
    const { isConvolution, channels, maps, rows, columns, kernel, stride, padding, after } = view;
    if (!isConvolution) channel = map;
    const weights = isConvolution ? Array.from({ length: channels }, (_, i) => largest(view.weightsOf(map, i))) : [];
    most = { input: largest(values[index].x), kernel: Math.max(0, ...weights), map: largest(view.mapOf(map)) };
    const [height, width] = kernel;
    const named = { number: count(channel + 1), total: count(channels) };
    setText(byId("kernels-input-name"), index === 0 || channels === 1 ? t("Input: {height} × {width}", view) : t("Input channel {number} of {total}: {height} × {width}", { ...named, height: view.height, width: view.width }));
    const around = Object.values(padding);
    const paddingWords = around.every((one) => one === around[0]) ? t("Grey: padding, {count} of zeros around the image.", { count: around[0] }) : t("Grey: padding with zeros (top {top}, right {right}, bottom {bottom}, left {left}).", padding);
    const strideWords = t("The window has {height} × {width} numbers, and moves by {stride}.", { height, width, stride });
    setText(byId("kernels-padding"), around.some((one) => one > 0) ? `${strideWords} ${paddingWords}` : strideWords);
    const name = t("Feature map {number} of {total}: {rows} × {columns}", { number: count(map + 1), total: count(maps), rows, columns });
    setText(byId("kernels-output-name"), after.length === 0 ? name : t("{name}, after {layers}", { name, layers: after.map(typeName).join(", ") }));
    byId("kernels-pictures").hidden = !isConvolution;
    byId("kernels-steps").hidden = after.length === 0;
    byId("kernels-filters-part").hidden = !isConvolution || maps === 1 || maps * height * width > MOST_WEIGHTS;
    byId("kernels-filters").toggleAttribute("data-many", maps > MANY);
    if (!byId("kernels-filters-part").hidden) showKernels();
    byId("kernels-scroll").hidden = height * width > MOST_CELLS;
    byId("kernels-sums-part").hidden = !isConvolution || channels === 1;
    show();
  }

  /** The kernels of all filters for the channel, the chosen one in a frame. */
  function showKernels() {
    const { maps, kernel, channels } = view;
    const all = Array.from({ length: maps }, (_, i) => Array.from(view.weightsOf(i, channel))).flat();
    const shape = [maps, ...kernel];
    const [column, row] = gridOf(shape).cell(map * kernel[0] * kernel[1]);
    kernels.show({ shape, first: 0, total: maps, low: 0, high: 0, values: all }, { most: largest(all), frame: { row, column, height: kernel[0], width: kernel[1] } });
    const values_ = { count: count(maps), number: count(channel + 1) };
    setText(byId("kernels-filters-name"), channels === 1 ? t("The kernels of all {count} filters: press one to use it.", values_) : t("The kernels of all {count} filters for input channel {number}: press one to use it.", values_));
  }

  // The window

  function show() {
    const [row, column] = place;
    const { kernel, stride, rows, columns } = view;
    const number = view.numberAt(map, row, column);
    const { pixels, outside } = view.windowAt(channel, row, column);
    const padded = view.paddedInput(channel);
    const box = { row: row * stride, column: column * stride, height: kernel[0], width: kernel[1] };
    const winner = number.winner ?? null;
    const lit = winner === null ? null : (box.row + Math.floor(winner / kernel[1])) * padded.width + box.column + (winner % kernel[1]);
    input.show(flat(padded.pixels, padded.height, padded.width), { most: most.input, absent: padded.outside, frame: box, chosen: lit });
    output.show(flat(view.mapOf(map), rows, columns), { most: most.map, absent: seen.map((one) => 1 - one), chosen: row * columns + column });
    const weights = view.isConvolution ? view.weightsOf(map, channel) : null;
    const products = view.isConvolution ? view.productsAt(map, channel, row, column) : null;
    if (view.isConvolution) {
      pictures.window.show(flat(pixels, ...kernel), { most: most.input, absent: outside });
      pictures.kernel.show(flat(weights, ...kernel), { most: most.kernel });
      pictures.products.show(flat(products, ...kernel), { most: most.input * most.kernel });
      if (view.channels > 1) showSums(number);
    }
    if (pixels.length <= MOST_CELLS) showCells({ pixels, outside, weights, products, winner });
    showNumber(number, pixels.length);
    const values_ = { row: row + 1, column: column + 1, seen: count(seen.reduce((sum, one) => sum + one, 0)), total: count(seen.length) };
    setText(where, t("Window at row {row}, column {column} of the map; {seen} of {total} cells.", values_));
  }

  function showCells({ pixels, outside, weights, products, winner }) {
    const table = byId("kernels-cells");
    const [height, width] = view.kernel;
    if (table.rows.length !== height || table.rows[0].cells.length !== width) {
      table.replaceChildren(element("tbody", {}, ...Array.from({ length: height }, () => element("tr", {}, ...Array.from({ length: width }, () => element("td", {}, element("span"), element("span"), element("strong")))))));
    }
    table.style.setProperty("--columns", width);
    Array.from(table.querySelectorAll("td")).forEach((cell, i) => {
      const [pixel, weight, product] = cell.children;
      const value = products === null ? pixels[i] : products[i];
      cell.toggleAttribute("data-outside", outside[i] === 1);
      cell.toggleAttribute("data-winner", i === winner);
      cell.toggleAttribute("data-minus", value < 0);
      cell.style.setProperty("--share", `${Math.round((Math.min(1, Math.abs(value) / (most.input * (products === null ? 1 : most.kernel) || 1)) ** 0.7) * 45)}%`);
      setText(pixel, products === null ? "" : short(pixels[i]));
      setText(weight, products === null ? "" : `×${short(weights[i])}`);
      setText(product, short(value));
      Object.assign(cell.dataset, products === null ? { value } : { pixel: pixels[i], weight: weights[i], value });
    });
  }

  /** The sums of the input channels, of which one is shown. */
  function showSums({ sums: found }) {
    const values_ = { number: count(channel + 1), sum: num(found[channel]), count: count(found.length), inputs: num(found.reduce((a, b) => a + b, 0)) };
    setText(byId("kernels-sums-note"), t("Products of channel {number}: {sum}. Each of the {count} channels has a kernel of its own; all their sums, one a cell here, make {inputs}.", values_));
    sums.show({ shape: [found.length], first: 0, total: found.length, low: Math.min(...found), high: Math.max(...found), values: found }, { chosen: channel });
  }

  function showNumber({ inputs, bias, value, sum, winner, steps, last }, size) {
    const line = byId("kernels-sum");
    const result = element("strong", {}, num(value));
    if (view.isConvolution) line.replaceChildren(`${t("sum of the products {sum}", { sum: num(inputs) })} + ${t("bias {bias}", { bias: num(bias) })} = `, result);
    else if (winner !== null) line.replaceChildren(`${t("the largest of {count}", { count: size })} = `, result);
    else line.replaceChildren(`${t("sum {sum}", { sum: num(sum) })} / ${size} = `, result);
    Object.assign(line.dataset, { value, last, ...(view.isConvolution ? { inputs, bias } : {}) });
    setText(byId("kernels-steps"), steps.map((step) => `→ ${typeName(step.type)}: ${num(step.value)}`).join(" "));
  }

  /** Moves the window to a place of the map. */
  function go(next) {
    pause();
    visit(next);
    show();
  }

  function visit(next) {
    place = next;
    seen[place[0] * view.columns + place[1]] = 1;
  }

  /** Moves on by a number of places, row by row and around. */
  function move(by) {
    const total = view.rows * view.columns;
    visit(rowOf((place[0] * view.columns + place[1] + by + total) % total, view.columns));
  }

  function startOver() {
    seen.fill(0);
    visit([0, 0]);
  }

  const isLast = () => place[0] === view.rows - 1 && place[1] === view.columns - 1;

  function start() {
    if (isLast() || seen.every((one) => one === 1)) startOver();
    where.setAttribute("aria-live", "off"); // or it would be spoken at every step
    setText(play, `❙❙ ${t("Pause")}`);
    since = performance.now();
    frame = requestAnimationFrame(tick);
    show();
  }

  function pause() {
    cancelAnimationFrame(frame);
    frame = 0;
    where.removeAttribute("aria-live");
    setText(play, `▶ ${t("Play")}`);
  }

  function tick(now) {
    frame = requestAnimationFrame(tick);
    const each = 1000 / Number(selects.pace.value);
    since = Math.max(since, now - Math.max(each, LONGEST_STEP));
    const due = Math.floor((now - since) / each);
    if (due === 0) return;
    since += due * each;
    for (let i = 0; i < due && !isLast(); i += 1) move(1);
    if (isLast()) pause();
    show();
  }

  /** Where no motion is wanted, the window moves by steps alone. */
  function heedMotion() {
    if (STILL.matches) pause();
    play.hidden = byId("kernels-pace-field").hidden = STILL.matches;
  }

  selects.layer.addEventListener("change", () => useLayer(Number(selects.layer.value)));
  selects.map.addEventListener("change", () => useMap(Number(selects.map.value)));
  selects.channel.addEventListener("change", () => {
    channel = Number(selects.channel.value);
    prepare();
  });
  play.addEventListener("click", () => (frame === 0 ? start() : pause()));
  for (const [id, act] of [["back", () => move(-1)], ["step", () => move(1)], ["first", startOver], ["all", () => seen.fill(1)]]) {
    byId(`kernels-${id}`).addEventListener("click", () => {
      pause();
      act();
      show();
    });
  }
  STILL.addEventListener("change", heedMotion);
  heedMotion();

  return { use };
}
