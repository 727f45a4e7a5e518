// A late answer loses: of several questions of one kind only the newest is answered on the page.

/**
 * `begin()` begins a question and gives its signal, which is aborted as soon as another begins or `drop()` drops it. The
 * one that asked looks at `signal.aborted` before it shows an answer, and a request that has the signal ends at once.
 */
export function createLatest() {
  let current = new AbortController();
  const drop = () => current.abort();
  return {
    begin() {
      drop();
      current = new AbortController();
      return current.signal;
    },
    drop,
  };
}

/**
 * Gives a function that calls `work(signal, ...)` with what it was called with last, when it was not called again for
 * `wait` milliseconds; a later call drops it.
 */
export function debounced(work, wait = 120) {
  const questions = createLatest();
  let timer = 0;
  return (...subject) => {
    clearTimeout(timer);
    const signal = questions.begin();
    timer = setTimeout(() => work(signal, ...subject), wait);
  };
}
