// The browser's storage, which can be full, disabled, or contain values of another version.

export const forGood = () => localStorage;
export const forTab = () => sessionStorage;

/** The value under a name; null if it is missing or unreadable. */
export function recall(where, name) {
  try {
    return JSON.parse(where().getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** Writes a value, or removes it if it is null; returns true on success. */
export function keep(where, name, value) {
  try {
    if (value === null) where().removeItem(name);
    else where().setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
