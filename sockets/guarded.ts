/**
 * A callback whose errors have no effect on its caller: they are bugs, and go where uncaught errors
 * are reported.
 */
export function guarded<Args extends unknown[]>(
  callback: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      reportError(error);
    }
  };
}
