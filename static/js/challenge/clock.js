// A clock that stands still while the page is hidden.

const TICK_MS = 100;

/** `onTick(left, seconds)` is called ten times a second; `left` is null without an end. */
export function createClock(onTick) {
  let [seconds, onEnd] = [null, null];
  let [passed, since, timer] = [0, null, 0]; // milliseconds before `since`, the time of the last start

  const elapsed = () => (passed + (since === null ? 0 : performance.now() - since)) / 1000;
  const left = () => (seconds === null ? null : Math.max(0, seconds - elapsed()));

  function go() {
    if (onEnd === null || since !== null || document.hidden) return;
    since = performance.now();
    timer = setInterval(tick, TICK_MS);
  }

  function stand() {
    passed = elapsed() * 1000;
    since = null;
    clearInterval(timer);
  }

  function tick() {
    onTick(left(), seconds);
    if (left() !== 0) return;
    const end = onEnd;
    stop();
    end();
  }

  /** Starts from the beginning; `end()` is called after `duration` seconds, never if they are null. */
  function start(duration, end) {
    stop();
    [seconds, onEnd, passed] = [duration, end, 0];
    onTick(left(), seconds);
    go();
  }

  function stop() {
    stand();
    onEnd = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? stand() : go()));

  return { start, stop, elapsed, left };
}
