import { hour } from '../../../shared/base/time.ts';
import { allActs, allFaults, type Act, type Fault, type Setup, type Weaker } from './setup.ts';

type Some = Partial<Omit<Setup, 'service' | 'name'>> & { readonly service?: Partial<Setup['service']> };

const handedOut: Weaker = 'what is handed out logs in';
const within: Weaker = 'what was handed out within the window logs in';

/** One setup of the plainest kind but for `some`. */
export function setupOf(name: string, strategy: Setup['service']['strategy'], some: Some = {}): Setup {
  const { service, ...rest } = some;
  return {
    name,
    service: { strategy, endpoints: ['one'], fence: 'lock', ...service },
    stores: [{}],
    clocks: [0, 0],
    serviceClock: true,
    acts: allActs,
    faults: allFaults,
    secondRotator: true,
    racingEmergency: false,
    pauses: false,
    refresh: false,
    weaker: [],
    moves: 1,
    ...rest,
  };
}

const checked = { writes: 'checked' } as const;
/** As GCP is: what is read lags, a published version has another id than the staged one. */
const settling = { settlesMs: hour, ids: 'renewed' } as const;
const forgetful = { keepsPrevious: false } as const;
/**
 * Where the store keeps no previous version, or does not show yet what was just published, the journal is the only trace of
 * what consumers may hold: without it nobody can know.
 */
const withJournal: readonly Act[] = allActs.filter((act) => act !== 'lose-journal');
const writersOnly: readonly Act[] = ['force', 'emergency'];
const places: readonly Act[] = ['silence-endpoint', 'store-down', 'emergency', 'reset-user'];
const someFaults: readonly Fault[] = ['lost-applied', 'crash', 'failed'];

/** Nothing goes wrong but that writers pause, as long as they like, while others go on. */
const pausedWriters = { acts: [], faults: ['lock-lost'], pauses: true, moves: 1 } as const;

/** Every configuration that the proof looks at. */
export const setups: readonly Setup[] = [
  // Two users, as PostgreSQL has.
  setupOf('alternating lock', 'alternating'),
  setupOf('alternating lock, two moves', 'alternating', {
    acts: ['reset-user', 'roll-back'],
    faults: ['lost-applied', 'crash'],
    secondRotator: false,
    moves: 2,
  }),
  setupOf('alternating lock, two stores', 'alternating', {
    stores: [{}, {}],
    acts: ['reset-user', 'change-by-hand', 'garbage', 'roll-back', 'lose-journal'],
    secondRotator: false,
  }),
  setupOf('alternating lock, two stores, one down', 'alternating', {
    stores: [{}, {}],
    acts: ['store-down', 'lose-pending', 'emergency', 'force'],
    faults: someFaults,
  }),
  setupOf('alternating lock, checked store', 'alternating', { stores: [checked], faults: [...allFaults, 'lock-lost'] }),
  setupOf('alternating lock, two writers', 'alternating', {
    acts: ['emergency'],
    faults: [],
    racingEmergency: true,
  }),
  setupOf('alternating lock, clocks 3 h apart', 'alternating', { clocks: [0, 3 * hour], acts: writersOnly }),
  setupOf('alternating lock, clocks 3 h behind', 'alternating', { clocks: [0, -3 * hour], acts: writersOnly }),
  setupOf('alternating lock, settling store', 'alternating', { stores: [settling], acts: withJournal }),
  setupOf('alternating lock, store keeps no previous', 'alternating', {
    stores: [forgetful],
    acts: withJournal,
  }),
  setupOf('alternating lock, two endpoints', 'alternating', {
    service: { endpoints: ['one', 'two'] },
    acts: [...places, 'lag-endpoint'],
  }),
  setupOf('alternating lock, sessions and refresh', 'alternating', {
    acts: ['open-session', 'emergency'],
    refresh: true,
  }),
  // Two users without a lock, as MongoDB and RabbitMQ have.
  setupOf('alternating none', 'alternating', { service: { fence: 'none' }, weaker: [handedOut, within] }),
  setupOf('alternating none, checked store', 'alternating', {
    service: { fence: 'none' },
    stores: [checked],
    weaker: [handedOut, within],
  }),
  setupOf('alternating lock, paused writers', 'alternating', pausedWriters),
  setupOf('alternating lock, checked store, paused writers', 'alternating', {
    ...pausedWriters,
    stores: [checked],
    weaker: [handedOut, within],
  }),
  setupOf('alternating none, paused writers', 'alternating', {
    ...pausedWriters,
    service: { fence: 'none' },
    weaker: [handedOut, within],
  }),
  setupOf('additive exact, paused writers', 'additive', { ...pausedWriters, service: { fence: 'exact' } }),
  // Many values of one user on many nodes, as Redis has.
  setupOf('additive exact', 'additive', { service: { fence: 'exact' } }),
  setupOf('additive exact, fleet of two', 'additive', {
    service: { fence: 'exact', fleet: 'each', endpoints: ['one', 'two'] },
    acts: [...places],
  }),
  setupOf('additive exact, checked store', 'additive', {
    service: { fence: 'exact' },
    stores: [checked],
    weaker: [handedOut, within],
  }),
  // Two values of one user, as MySQL has.
  setupOf('additive of two, lock', 'additive', { service: { capacity: 2 } }),
  setupOf('additive of two, lock, two stores', 'additive', {
    service: { capacity: 2 },
    stores: [{}, settling],
    acts: ['reset-user', 'roll-back', 'garbage'],
    secondRotator: false,
  }),
  // One value that clients accept in advance, as a certificate.
  setupOf('replacing lock', 'replacing', {}),
  setupOf('replacing none', 'replacing', { service: { fence: 'none' }, weaker: [handedOut, within] }),
  // One value.
  setupOf('single lock', 'single', {}),
  setupOf('single lock, replica lags', 'single', {
    service: { endpoints: ['one', 'two'] },
    acts: ['lag-endpoint', 'emergency'],
  }),
  setupOf('single none', 'single', { service: { fence: 'none' }, weaker: [handedOut, within] }),
];
