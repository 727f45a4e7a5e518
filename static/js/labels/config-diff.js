// The settings in which several runs differ, independent of the page.

import { networkLine, layerName, settingValue } from "./config-labels.js";

const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** A config as a flat table: "optimizer.momentum" → 0.9. The layers of a network stay a list. */
export function flattened(config, prefix = "") {
  const result = {};
  for (const [key, value] of Object.entries(config ?? {})) {
    if (isTable(value)) Object.assign(result, flattened(value, `${prefix}${key}.`));
    else result[`${prefix}${key}`] = value;
  }
  return result;
}

/**
 * The settings that differ between configs, in order of appearance, each `{path, values}` with a text for every config
 * ("–" if it has no such setting).
 */
export function differing(configs) {
  const tables = configs.map((config) => withLayers(flattened(config), configs));
  const paths = [...new Set(tables.flatMap((table) => Object.keys(table)))];
  return paths
    .map((path) => ({ path, values: tables.map((table) => settingValue(path, table[path])) }))
    .filter(({ path, values }) => !path.endsWith("sha256") && new Set(values).size > 1); // hashes tell people nothing
}

/** Compares layers one by one if all networks have the same kinds of layers, otherwise complete networks. */
function withLayers(table, configs) {
  const { "network.layers": layers, ...rest } = table;
  if (layers === undefined) return table;
  const kinds = new Set(configs.map((config) => JSON.stringify((config.network?.layers ?? []).map(({ type }) => type))));
  if (kinds.size > 1) return { ...rest, network: `${networkLine(layers)} (${layers.map(({ type }) => layerName(type)).join(", ")})` };
  layers.forEach(({ type, ...fields }, i) => Object.assign(rest, flattened(fields, `layer ${i + 1} ${type}.`)));
  return rest;
}
