// The invitation to draw into one set. The server tells its address only once; this browser keeps it for its other windows.

import { get, post, remove } from "../../api/client.js";
import { forGood, keep, recall } from "../../lib/storage.js";

const NAME = "digitpad.invitations"; // `{address, qr, expires}` by set

/**
 * Returns `{find, make, end}`; each returns `{expires, made}`: until when the set's invitation holds, null if there is none, and
 * `{address, qr}`, null if this browser does not know it.
 */
export function invitationTo(set) {
  const path = `/api/drawings/sets/${encodeURIComponent(set)}/invitation`;

  function remember(made) {
    const { [set]: _, ...others } = recall(forGood, NAME) ?? {};
    keep(forGood, NAME, made === null ? others : { ...others, [set]: made });
    return { expires: made?.expires ?? null, made };
  }

  return {
    async find() {
      const { expires } = await get(path);
      const made = recall(forGood, NAME)?.[set] ?? null;
      return { expires, made: expires !== null && made?.expires === expires ? made : null };
    },
    make: async () => remember(await post(path)),
    async end() {
      await remove(path);
      return remember(null);
    },
  };
}
