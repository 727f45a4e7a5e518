// Only the latest of several requests of one kind is shown.

/**
 * `begin()` returns the signal of a new request, which is aborted when another one begins or by `drop()`. Check
 * `signal.aborted` before showing an answer.
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
 * Returns a function that calls `work(signal, ...)` with its last arguments after `wait` milliseconds without another
 * call, which aborts the signal.
 */
export function debounced(work, wait = 120) {
  const requests = createLatest();
  let timer = 0;
  return (...subject) => {
    clearTimeout(timer);
    const signal = requests.begin();
    timer = setTimeout(() => work(signal, ...subject), wait);
  };
}

/**
 * Returns a function that calls `work()` at once, and again `wait` milliseconds after it has ended if it was called
 * meanwhile.
 */
export function throttled(work, wait) {
  let isBusy = false;
  let again = false;
  return async function call() {
    again = true;
    if (isBusy) return;
    isBusy = true;
    while (again) {
      again = false;
      await work();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    isBusy = false;
  };
}
