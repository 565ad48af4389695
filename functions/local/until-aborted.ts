/** Returns once one of the signals is aborted. Unlike a bare promise it keeps the process alive until then. */
export async function untilAborted(...signals: readonly AbortSignal[]): Promise<void> {
  const beat = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    if (signals.some(({ aborted }) => aborted)) resolve();
    for (const signal of signals) signal.addEventListener('abort', () => resolve());
  });
  clearInterval(beat);
}
