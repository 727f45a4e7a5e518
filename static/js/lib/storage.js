// What this browser remembers of the page. Storage can be full, switched off, or hold what another version wrote.

export const forGood = () => localStorage;
export const forTab = () => sessionStorage;

/** The value under a name; null where there is none that can be read. */
export function recall(where, name) {
  try {
    return JSON.parse(where().getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** Writes a value, or removes it when it is null; whether that worked. */
export function keep(where, name, value) {
  try {
    if (value === null) where().removeItem(name);
    else where().setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
