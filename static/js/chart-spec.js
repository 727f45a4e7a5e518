// Charts as Plotly wants them described. Nothing here touches the page.

const LOSS_TITLES = { cross_entropy: "loss (cross-entropy, nats)", mean_squared_error: "loss (mean squared error)", mse: "loss (mean squared error)" };
const MOST_MARKERS = 40; // beyond this many epochs the points would hide the line
const MOST_TICKS = 8;

const POWERS = [-6, -5, -4, -3, -2, -1, 0, 1, 2, 3];
const NARROW = 4; // an axis from a to 4 a has room for every digit

/** What sets the two charts apart. */
export const KINDS = {
  loss: {
    train: "train_loss",
    validation: "val_loss",
    scale: 1,
    hover: "%{y:.4f}",
    title: (config) => LOSS_TITLES[config.loss] ?? "loss",
  },
  accuracy: {
    train: "train_accuracy",
    validation: "val_accuracy",
    scale: 100,
    hover: "%{y:.2f} %",
    title: () => "accuracy (%)",
  },
};

/** The two lines of a chart: training, validation. */
export function traces(kind, epochs, theme, shown) {
  const x = epochs.map(({ epoch }) => epoch);
  const mode = epochs.length > MOST_MARKERS ? "lines" : "lines+markers";
  const trace = (name, key, color, dash, visible) => ({
    name,
    x,
    y: epochs.map((epoch) => (epoch[key] === null || epoch[key] === undefined ? null : epoch[key] * kind.scale)),
    type: "scatter",
    mode,
    visible,
    line: { color, dash, width: 2.5 },
    marker: { color, size: 5 },
    hovertemplate: `${kind.hover}<extra>${name}</extra>`,
  });
  return [
    trace("training", kind.train, theme.training, "solid", shown[0]),
    trace("validation", kind.validation, theme.validation, "dash", shown[1]),
  ];
}

/** Axes and colours; the x axis is as long as the training will be, so that the lines grow into it. */
export function layout(kind, { epochs, config, theme, yScale }) {
  const first = Math.min(1, epochs[0]?.epoch ?? 1);
  const last = Math.max(config.epochs, epochs.at(-1)?.epoch ?? 1);
  const pad = Math.max(0.25, (last - first) * 0.03);
  const axis = {
    color: theme.soft,
    gridcolor: theme.line,
    linecolor: theme.line,
    zeroline: false,
    fixedrange: true,
    automargin: false,
    title: { font: { size: 13 }, standoff: 8 },
  };
  return {
    autosize: true,
    margin: { l: 56, r: 12, t: 8, b: 44 },
    paper_bgcolor: theme.sheet,
    plot_bgcolor: theme.sheet,
    font: { family: theme.font, size: 13, color: theme.ink },
    showlegend: false,
    hovermode: "x unified",
    hoverlabel: { bgcolor: theme.sheet, bordercolor: theme.edge, font: { color: theme.ink, size: 13 } },
    dragmode: false,
    xaxis: {
      ...axis,
      title: { ...axis.title, text: "epoch" },
      range: [first - pad, last + pad],
      tick0: 0,
      dtick: roundStep((last - first) / MOST_TICKS),
      hoverformat: "d",
      unifiedhovertitle: { text: "epoch %{x}" },
      showgrid: false,
    },
    yaxis: {
      ...axis,
      title: { ...axis.title, text: kind.title(config) },
      type: yScale,
      rangemode: yScale === "linear" && kind === KINDS.loss ? "tozero" : "normal",
      autorange: epochs.length > 0,
      range: epochs.length > 0 ? undefined : emptyRange(kind, yScale),
      nticks: 9,
      ...(yScale === "log" ? logTicks(kind, epochs) : {}),
    },
  };
}

const emptyRange = (kind, yScale) => (kind === KINDS.accuracy ? [0, 100] : yScale === "log" ? [-2, 0.4] : [0, 2.5]);

/** 1, 2 and 5 of every power of ten, or every digit, written out: Plotly itself would write the 2 of 0.2 as "2". */
function logTicks({ train, validation }, epochs) {
  const values = epochs.flatMap((epoch) => [epoch[train], epoch[validation]]).filter((value) => value > 0);
  const narrow = values.length > 0 && Math.max(...values) < NARROW * Math.min(...values);
  const digits = narrow ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 2, 5];
  const ticktext = POWERS.flatMap((power) => digits.map((digit) => String(Number(`${digit}e${power}`))));
  return { tickmode: "array", tickvals: ticktext.map(Number), ticktext };
}

/** The smallest of 1, 2, 5, 10, 20, 50, ... that is at least `step`. */
export function roundStep(step) {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, step))));
  return [1, 2, 5, 10].find((digit) => digit * power >= step) * power;
}
