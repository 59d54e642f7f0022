/** Milliseconds between two notices of the same kind. */
const NOTICE_MS = 1_000;

/** Wraps `report` to report at most once a second, with the number of lines suppressed. */
export function noticeOf(report: (line: string) => void): (line: string) => void {
  let lastReport = -Infinity;
  let suppressed = 0;
  return (line) => {
    const now = performance.now();
    if (now - lastReport < NOTICE_MS) {
      suppressed++;
      return;
    }
    report(suppressed === 0 ? line : `${line} (and ${suppressed} more)`);
    lastReport = now;
    suppressed = 0;
  };
}
