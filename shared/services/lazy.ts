import { asLockkeeperError } from '../base/error.ts';
import type { Service } from './contract.ts';

/**
 * A service that is opened by the first call and then kept. Where opening fails every method throws that error, `accepts`
 * too, and the next call opens again: the trouble of one service stays its own.
 */
export function lazyService(open: () => Promise<Service>): Readonly<Service> {
  let opening: Promise<Service> | undefined;
  const opened = async (): Promise<Service> => {
    const mine = (opening ??= begun(open));
    try {
      return await mine;
    } catch (thrown) {
      if (opening === mine) opening = undefined;
      throw asLockkeeperError(thrown);
    }
  };
  return {
    describe: async () => (await opened()).describe(),
    change: async (login, keep, guard) => (await opened()).change(login, keep, guard),
    accepts: async (login) => (await opened()).accepts(login),
    sessions: async (slot, before) => (await opened()).sessions(slot, before),
    retire: async (...order) => (await opened()).retire(...order),
  };
}

/** A promise also where `open` throws at once. */
async function begun(open: () => Promise<Service>): Promise<Service> {
  return open();
}
