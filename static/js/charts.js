// The two charts of a run, drawn by Plotly, which is fetched apart from the page's own modules.

import { KINDS, layout, traces } from "./chart-spec.js";
import { byId, setText } from "./dom.js";
import { hasEnded } from "./run-record.js";

const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
const PNG_SIZE = { width: 960, height: 600, scale: 2 };
const FAILED = "The charts could not be loaded. The numbers are below.";
const BEFORE = "The curves begin after the first epoch.";
const NO_EPOCH = "It ended before its first epoch was done.";

/** Plotly, when its script has come. */
function plotly() {
  if (window.Plotly !== undefined) return Promise.resolve(window.Plotly);
  const script = byId("plotly");
  return new Promise((resolve, reject) => {
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => reject(new Error(FAILED)));
  });
}

/** Charts in the run view of the page. `show(record)` draws what is known; `savePng(key, name)` saves one. */
export function createCharts() {
  const areas = { loss: byId("chart-loss"), accuracy: byId("chart-accuracy") };
  const shown = { loss: [true, true], accuracy: [true, true] };
  const drawn = new Set();
  let yScale = "linear";
  let current = null;
  let library = null;
  let failed = false;

  plotly().then(
    (found) => {
      library = found;
      draw();
    },
    (error) => {
      failed = true;
      eachEmpty((place) => setText(place, error.message));
    },
  );

  function show(record) {
    if (current !== null && ["id", "epochs", "state", "config"].every((name) => current[name] === record[name])) return;
    current = record;
    draw();
  }

  function draw() {
    if (current === null) return;
    const { epochs } = current;
    if (library !== null) for (const key of Object.keys(areas)) drawOne(key);
    eachEmpty((place) => {
      place.hidden = library !== null && epochs.length > 0;
      if (!failed) setText(place, hasEnded(current) ? NO_EPOCH : BEFORE);
    });
  }

  function drawOne(key) {
    const area = areas[key];
    const { data, layout: frame } = figure(key);
    if (drawn.has(key)) library.react(area, data, frame, CONFIG);
    else {
      drawn.add(key);
      library.newPlot(area, data, frame, CONFIG);
      new ResizeObserver(() => {
        if (area.offsetWidth > 0) library.Plots.resize(area);
      }).observe(area);
    }
  }

  function figure(key) {
    const kind = KINDS[key];
    const theme = readTheme();
    return {
      data: traces(kind, current.epochs, theme, shown[key]),
      layout: layout(kind, { epochs: current.epochs, config: current.config, theme, yScale: key === "loss" ? yScale : "linear" }),
    };
  }

  /** Saves a chart as a picture, with the legend that the page draws itself. */
  async function savePng(key, filename) {
    if (library === null || current === null) return;
    const { data, layout: frame } = figure(key);
    const legend = { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
    const whole = { ...frame, showlegend: true, legend, margin: { l: 72, r: 24, t: 48, b: 56 } };
    await library.downloadImage({ data, layout: whole, config: CONFIG }, { ...PNG_SIZE, format: "png", filename });
  }

  for (const legend of document.querySelectorAll(".legend")) {
    const { chart } = legend.dataset;
    for (const item of legend.querySelectorAll("[data-trace]")) {
      item.addEventListener("click", () => {
        const visible = !shown[chart][item.dataset.trace];
        shown[chart][item.dataset.trace] = visible;
        item.setAttribute("aria-pressed", String(visible));
        draw();
      });
    }
  }
  for (const choice of document.querySelectorAll("input[name=loss-scale]")) {
    choice.addEventListener("change", () => {
      yScale = choice.value;
      draw();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  return { show, savePng };
}

function eachEmpty(action) {
  document.querySelectorAll(".chart-empty").forEach(action);
}

/** The page's colours and face, as they are now. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: color("ink"),
    soft: color("soft"),
    line: color("line"),
    edge: color("edge"),
    sheet: color("sheet"),
    training: color("accent"),
    validation: color("validation"),
    font: color("font"),
  };
}
