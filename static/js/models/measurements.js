// Tables of a model's measurements: before and after personalization, by data set, by style, on images unlike MNIST,
// over seeds.

import { count, percent, sentences } from "../i18n/format.js";
import { t } from "../i18n/translate.js";
import { tile } from "../images/tile.js";
import { nameIn } from "../labels/names.js";
import { datasetTitle, titleOf } from "../labels/titles.js";
import { element } from "../lib/dom.js";

const NAMES = { mnist: "MNIST", strokes: t("the drawn digits") };
const DIGITS = 1; // decimals
const FEW = 10; // drawings

/** The name of a data set's test images in a sentence. */
const shortName = (data) => NAMES[data] ?? titleOf({ name: data, title: data });

/** "Reads your drawings 96.0 % (before 81.0 %). Reads MNIST 99.4 % (before 99.5 %).": each test set has its sentence. */
export function mineSentence({ compared }) {
  const shares = ({ before, after }) => ({ after: percent(after, DIGITS), before: percent(before, DIGITS) });
  const drawn = compared.find(({ of }) => of === "drawings");
  const known = compared.filter(({ of }) => of !== "drawings");
  const first = drawn === undefined ? "" : t("Reads {after} of your drawings correctly (before: {before}).", shares(drawn));
  const few = drawn !== undefined && drawn.count < FEW ? (drawn.count === 1 ? t("That is from one drawing, which says little.") : t("That is from {count} drawings, which says little.", { count: count(drawn.count) })) : "";
  const others = known.map((row) => t("Reads {after} of {data} correctly (before: {before}).", { data: shortName(row.data), ...shares(row) }));
  return sentences(first, few, ...others);
}

/** A sentence with the numbers of learned and held-out drawings. */
export const mineNote = ({ parent, set, learned, held_out: held, seen = false }) =>
  seen
    ? t("Made from {parent} with {learned} drawings of “{set}”; {held} others were held out, but {parent} was also trained on your drawings and may have seen them.", { parent, learned, set, held })
    : t("Made from {parent} with {learned} drawings of “{set}”; {held} others were held out, and it has never seen them.", { parent, learned, set, held });

/** The table of accuracies before and after. */
export const mineTable = ({ compared }) =>
  table(
    t("Before and after"),
    [t("what it reads"), t("images"), t("before"), t("after")],
    compared.map(({ of, data, count: pictures, before, after }) => [
      of === "drawings" ? t("your held-out drawings") : t("the test images of {data}", { data: shortName(data) }),
      count(pictures),
      percent(before, 2),
      percent(after, 2),
    ]),
  );

/** All tables of a card's additional measurements. */
export const evidenceTables = ({ mine, sources = [], styles = [], robustness = [], seeds = [] }) => [
  ...(mine ? [mineTable(mine)] : []),
  ...(sources.length > 0 ? [sourcesTable(sources)] : []),
  ...(styles.length > 0 ? [stylesTable(styles)] : []),
  ...(robustness.length > 0 ? [robustnessTable(robustness)] : []),
  ...(seeds.length > 0 ? [seedsTable(seeds)] : []),
];

/** The results on the test images of each data set of a mixture. */
const sourcesTable = (rows) =>
  table(
    t("On the test images of each data set"),
    [t("what it reads"), t("images"), t("read correctly"), t("calibration error"), t("refused")],
    rows.map(({ data, count: pictures, accuracy, ece, false_rejection: refused }) => [
      datasetTitle(data),
      count(pictures),
      percent(accuracy, 2),
      percent(ece, 2),
      refused === null ? "–" : percent(refused, 1),
    ]),
  );

/** The results on each style of handwriting, with the drawings that were misread; the styles without fault in one row. */
function stylesTable(rows) {
  const faulty = rows.filter(({ accuracy, refused }) => accuracy < 1 || refused > 0);
  const flawless = rows.filter((row) => !faulty.includes(row));
  const drawn = flawless.reduce((sum, row) => sum + row.count, 0);
  const others = flawless.length === 0 ? [] : [[t("{count} other styles", { count: flawless.length }), count(drawn), percent(1, 0), percent(0, 0), ""]];
  return table(
    t("On drawings in {count} styles, none of which it has learned", { count: rows.length }),
    [t("style"), t("drawings"), t("read correctly"), t("refused"), t("misread")],
    [
      ...faulty.map(({ style, label, count: drawings, accuracy, refused, misread }) => [
        style,
        count(drawings),
        percent(accuracy, 0),
        percent(refused, 0),
        misread.length === 0 ? "" : element("ul", { class: "misread" }, ...misread.map((one) => misreadTile(label, one))),
      ]),
      ...others,
    ],
  );
}

const misreadTile = (label, { said, probability, pixels }) =>
  tile({
    pixels,
    caption: [said],
    title: t("{label}, read as {said}", { label, said }),
    text: t("Probability {probability}", { probability: percent(probability, 1) }),
  });

/** The accuracy on images unlike the training images. */
const robustnessTable = (rows) =>
  table(
    t("On images unlike its training images"),
    [t("what it reads"), t("images"), t("read correctly")],
    rows.map(({ kind, accuracy, count: pictures }) => [nameIn("measurements", kind), count(pictures), percent(accuracy, 2)]),
  );

/** The same training with other seeds. */
const seedsTable = (rows) =>
  table(
    t("The same training with other random seeds"),
    [t("random seed"), t("validation"), t("test")],
    rows.map(({ seed, val, test }) => [String(seed), percent(val, 2), percent(test, 2)]),
  );

/** A table that scrolls where it is wider than its place. */
function table(title, heads, rows) {
  const node = element(
    "table",
    { class: "evidence-table" },
    element("caption", {}, title),
    element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
    element(
      "tbody",
      {},
      ...rows.map(([first, ...others]) => element("tr", {}, element("th", { scope: "row" }, first), ...others.map((text) => element("td", {}, text)))),
    ),
  );
  return element("div", { class: "scroll-x evidence", tabindex: "0", role: "group", "aria-label": title }, node);
}
