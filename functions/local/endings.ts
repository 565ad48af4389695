/**
 * Takes all of them, and runs them in reverse order, each whatever becomes of the others. Throws what the first that
 * failed threw.
 */
export async function runEndings(endings: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of endings.splice(0).toReversed()) {
    try {
      await end();
    } catch (thrown) {
      failures.push(thrown);
    }
  }
  if (failures.length > 0) throw failures[0];
}
