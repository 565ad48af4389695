import type { OurValues } from '../base/our-values.ts';
import type { Login, Service } from './contract.ts';

/**
 * A driver whose answers and errors never hold what lockkeeper showed the service: each login's value, and whatever the
 * driver adds to `ours` (its own password, verifiers). A server, or whoever took its place, may repeat any of it in an
 * error, in the name of a program or of a table. Every driver that speaks to
 * something real is handed out through it.
 */
export function withholding(driver: Service, ours: OurValues): Readonly<Service> {
  const guarded = async <T>(login: Login | undefined, work: () => Promise<T>): Promise<T> => {
    if (login) ours.add(login.value);
    try {
      return await work();
    } catch (thrown) {
      throw ours.withholdFrom(thrown);
    }
  };
  const clean = (texts: readonly string[]) => texts.map((text) => ours.withhold(text));
  return {
    describe: () =>
      guarded(undefined, async () => {
        const told = await driver.describe();
        return { ...told, problems: clean(told.problems), fixes: clean(told.fixes) };
      }),
    change: (login, guard) => guarded(login, () => driver.change(login, guard)),
    accepts: (login) => guarded(login, () => driver.accepts(login)),
    sessions: (slot) =>
      guarded(undefined, async () =>
        (await driver.sessions(slot)).map((one) => ({ ...one, peer: ours.withhold(one.peer) })),
      ),
    retire: (login, guard, options) => guarded(login, () => driver.retire(login, guard, options)),
  };
}
