import { keyOf } from '../../../shared/rotation/journal/journal-format.ts';
import { handValue, loginIn, type Bench, type Snapshot } from './bench.ts';
import { credential, secret, slotsOf, storesOf, type Act, type Setup } from './setup.ts';
import { forgiven, watched, type Watch } from './watch.ts';

/** The world and what is known of the past, after a person or the surroundings did something. */
export interface Happened {
  readonly label: string;
  readonly world: Snapshot;
  readonly watch: Watch;
  /** It changed what is valid, staged or handed out. */
  readonly touches: boolean;
}

interface Doing {
  readonly label: string;
  /** Changes the bench, which is set to the world; answers what else changes. Undefined: nothing to do it to. */
  readonly act: (bench: Bench) => Partial<Snapshot> | undefined;
  /** It changes what is valid, or what is handed out. */
  readonly touches?: boolean;
}

/** Everything that may happen to this world by itself, according to the setup. */
export function happenings(bench: Bench, world: Snapshot, before: Watch): readonly Happened[] {
  const { setup } = bench;
  return setup.acts
    .flatMap((act) => doings[act]?.(setup, world, before) ?? [])
    .flatMap(({ label, act, touches = false }) => {
      bench.load(world);
      const also = act(bench);
      if (!also) return [];
      // What a person does to a store is there to be seen: until it is, nobody could know.
      if (touches) for (const vault of Object.values(bench.vaults)) vault.settle(secret);
      const after = { ...bench.save(), ...also };
      bench.load(after);
      const seen = watched(setup, before, after);
      const put = seen.handedOut.flatMap(({ login }, at) =>
        login !== undefined && login !== before.handedOut[at]?.login ? [login] : [],
      );
      const still = seen.byHand.filter((one) => seen.handedOut.some(({ login }) => login === one));
      const byHand = [...new Set([...still, ...put])];
      const watch = { ...forgiven(bench, seen), byHand, touched: seen.touched || touches };
      return [{ label, world: after, watch, touches }];
    });
}

type Maker = (setup: Setup, world: Snapshot, watch: Watch) => readonly Doing[];

const doings: Readonly<Partial<Record<Act, Maker>>> = {
  'reset-user': (setup, world) =>
    slotsOf(setup).map((slot) => ({
      label: `a person gives ${slot} another value at the service`,
      touches: true,
      act: (bench) => resetByHand(bench, slot, world.hands),
    })),
  'restore-service': (_setup, _world, { earlier }) => [
    {
      label: 'the service is restored to what it was before this rotation',
      touches: true,
      act(bench) {
        if (!earlier) return undefined;
        for (const name of bench.host.fleet.named(undefined)) bench.host.putBack(name, earlier);
        return {};
      },
    },
  ],
  'change-by-hand': (setup, world) => [
    {
      label: 'a person changes the value at the service and in every store',
      touches: true,
      act: (bench) => changedByHand(bench, setup, world),
    },
  ],
  garbage: (setup) =>
    storesOf(setup).map((store) => ({
      label: `a person writes garbage into store ${store}`,
      touches: true,
      act(bench) {
        bench.vaults[store]?.setByHand(secret, 'garbage');
        return {};
      },
    })),
  'roll-back': (setup) =>
    storesOf(setup).map((store) => ({
      label: `a person rolls store ${store} back`,
      touches: true,
      act(bench) {
        const vault = bench.vaults[store];
        const { current, earlier = [] } = vault?.live(secret) ?? {};
        // What is taken back before anybody looked leaves no trace: nobody can know who read it meanwhile.
        if (!vault || !earlier[0] || countOf(earlier[0]) > countOf(current)) return undefined;
        vault.rollBack(secret);
        return {};
      },
    })),
  'lose-pending': (setup) =>
    storesOf(setup).map((store) => ({
      label: `the staged value vanishes from store ${store}`,
      touches: true,
      act(bench) {
        const vault = bench.vaults[store];
        if (!vault?.live(secret).pending) return undefined;
        vault.dropPending(secret);
        return {};
      },
    })),
  'lose-journal': (_setup, world) => [
    {
      label: 'the journal is lost',
      act() {
        const key = keyOf(credential);
        if (!world.objects.has(key)) return undefined;
        return { objects: new Map([...world.objects].filter(([name]) => name !== key)) };
      },
    },
  ],
  'silence-endpoint': (setup) => (setup.service.endpoints ?? []).map((name) => turned(name)),
  'lag-endpoint': (setup) =>
    (setup.service.endpoints ?? []).slice(1).map((name) => ({
      label: `${name} lags from now on, or catches up`,
      act(bench) {
        if (bench.host.fleet.endpoint(name).lags) bench.host.catchUp(name);
        else bench.host.lag(name);
        return {};
      },
    })),
  'store-down': (setup, world) => storesOf(setup).map((store) => toggled(world, store, `store ${store}`)),
  'state-down': (_setup, world) => [toggled(world, 'state', 'the store of journals')],
  'open-session': (setup, world) => sessions(setup, world),
  policy: (_setup, { strict }) => [
    {
      label: strict ? 'the service takes new values again' : 'the service takes no new value any more',
      act: () => ({ strict: !strict }),
    },
  ],
};

/** Versions are counted. */
function countOf(version: { readonly id: string } | null | undefined): number {
  return Number(version?.id.slice(1) ?? 0);
}

function resetByHand(bench: Bench, slot: string, hands: number): Partial<Snapshot> {
  const value = handValue(hands);
  bench.know(value);
  bench.host.setByHand(slot, value);
  return { hands: hands + 1 };
}

function changedByHand(bench: Bench, setup: Setup, world: Snapshot): Partial<Snapshot> | undefined {
  const slot = storesOf(setup).flatMap((store) => bench.handedOut(store)?.slot ?? [])[0];
  if (slot === undefined) return undefined;
  const also = resetByHand(bench, slot, world.hands);
  for (const store of storesOf(setup)) bench.vaults[store]?.setByHand(secret, `${slot} ${handValue(world.hands)}`);
  return also;
}

function turned(name: string): Doing {
  return {
    label: `${name} goes silent, or answers again`,
    act(bench) {
      const { isUp } = bench.host.fleet.endpoint(name);
      bench.host.setUp(name, !isUp);
      if (!isUp) bench.host.catchUp(name);
      return {};
    },
  };
}

function toggled({ down }: Snapshot, port: string, name: string): Doing {
  const isDown = down.includes(port);
  return {
    label: isDown ? `${name} answers again` : `${name} does not answer any more`,
    act: () => ({ down: isDown ? down.filter((one) => one !== port) : [...down, port] }),
  };
}

/** A client with what a store hands out now; and the end of every session. */
function sessions(setup: Setup, { host }: Snapshot): readonly Doing[] {
  const [first = ''] = storesOf(setup);
  const opened: Doing = {
    label: 'a client logs in with what it reads and stays',
    act(bench) {
      const login = bench.handedOut(first);
      return login && bench.host.openSession(login.slot, login.value.open(), 'client') ? {} : undefined;
    },
  };
  const closed: Doing = {
    label: 'every client leaves',
    act(bench) {
      for (const slot of slotsOf(setup)) for (const session of bench.host.sessionsOf(slot)) session.close();
      return {};
    },
  };
  return host.sessions.length > 0 ? [closed] : [opened];
}

/** The world that a quiet run finds: everything answers, nobody is connected. */
export function calmed(bench: Bench, world: Snapshot): Snapshot {
  bench.load(world);
  for (const name of bench.host.fleet.named(undefined)) bench.host.setUp(name, true);
  bench.host.catchUp();
  bench.host.fleet.endSessions(() => true);
  return { ...bench.save(), down: [], strict: false };
}

/** The login that consumers use before anything happens: everywhere the same. */
export function firstLogin(bench: Bench, setup: Setup): void {
  const [slot = ''] = slotsOf(setup);
  const value = handValue(99_999_999);
  bench.know(value);
  bench.host.setByHand(slot, value);
  for (const store of storesOf(setup)) {
    bench.vaults[store]?.setByHand(secret, `${slot} ${value}`);
    bench.vaults[store]?.settle(secret);
  }
  if (!loginIn(`${slot} ${value}`)) throw new Error('the first login cannot be read');
}
