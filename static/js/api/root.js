// The root path, at which a proxy shows the server; the page is told it in `data-root`.

/** The address of `path`, which begins with a slash. `call` adds the root path by itself. */
export const withRoot = (path) => (document.documentElement.dataset.root ?? "") + path;
