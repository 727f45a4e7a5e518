// What differs between two configs, in the form that the server merges into a recipe.

const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The part of `wanted` that is not in `base` already; tables are compared key by key, lists as a whole. */
export function differences(base, wanted) {
  const result = {};
  for (const [key, value] of Object.entries(wanted)) {
    if (isTable(value) && isTable(base[key])) {
      const inner = differences(base[key], value);
      if (Object.keys(inner).length > 0) result[key] = inner;
    } else if (!same(value, base[key])) {
      result[key] = value;
    }
  }
  return result;
}
