import { asLockkeeperError, type LockkeeperError } from '../base/error.ts';
import type { OurValues } from '../base/our-values.ts';
import type { EndpointResult, Login, Service } from './contract.ts';

/**
 * A driver whose answers and errors never hold what lockkeeper showed the service: each login's value, and whatever the
 * driver adds to `ours` (its own password, verifiers). A server, or whoever took its place, may repeat any of it in an
 * error, in the name of a program or of a table. Every driver that speaks to something real is handed out through it.
 */
export function withholding(driver: Service, ours: OurValues): Readonly<Service> {
  const guarded = async <T>(logins: readonly (Login | undefined)[], work: () => Promise<T>): Promise<T> => {
    for (const login of logins) if (login) ours.add(login.value);
    try {
      return await work();
    } catch (thrown) {
      throw ours.withholdFrom(thrown);
    }
  };
  const cleanTexts = (texts: readonly string[]) => texts.map((text) => ours.withhold(text));
  const clean = (error: LockkeeperError) => asLockkeeperError(ours.withholdFrom(error));
  const cleanResults = (results: readonly EndpointResult[]) =>
    results.map((result) => (result.error ? { ...result, error: clean(result.error) } : result));
  return {
    describe: () =>
      guarded([], async () => {
        const told = await driver.describe();
        const { problems, fixes, risks } = told;
        return { ...told, problems: cleanTexts(problems), fixes: cleanTexts(fixes), risks: cleanTexts(risks) };
      }),
    change: (login, keep, guard) =>
      guarded([login, keep], async () => cleanResults(await driver.change(login, keep, guard))),
    accepts: (login) =>
      guarded([login], async () => {
        const answers = await driver.accepts(login);
        return answers.map(({ error, unfit, ...answer }) => ({
          ...answer,
          ...(error && { error: clean(error) }),
          ...(unfit !== undefined && { unfit: ours.withhold(unfit) }),
        }));
      }),
    sessions: (slot, before) =>
      guarded([], async () => {
        const sessions = await driver.sessions(slot, before);
        return sessions.map((session) => ({ ...session, peer: ours.withhold(session.peer) }));
      }),
    retire: (...order) => guarded([order[1]], async () => cleanResults(await driver.retire(...order))),
  };
}
