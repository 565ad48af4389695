import { withOther } from '../../rotation/place.ts';
import { refused, type Ground } from './ground.ts';
import { at, idleOf, type Way } from './way.ts';

const otherValue = 'a-value-that-somebody-else-chose-0123456789';
/** What only a service that says what it is brings to light. */
const byService = [
  'service-not-ready',
  'service-risk',
  'endpoint-silent',
  'too-many-values',
  'idle-user-in-use',
  'sessions-not-seen',
  'store-unknown-user',
  'current-refused',
  'current-unfit',
  'current-not-encrypted',
  'ended-accepted',
];

/** What can be wrong at the service. */
export const serviceWays: readonly Way[] = [
  {
    name: 'the current user got another password at one endpoint',
    touches: ['b', 'value at b'],
    apply: ({ place, login }) => place.host.setByHand(login.slot, otherValue, 'b:1'),
    ids: (ground) => [`current-refused ${at(ground, 'b:1')}`],
    typed: (ground) => `current-refused ${at(ground, 'b:1')}`,
  },
  {
    name: 'the current user got another password everywhere',
    touches: ['a', 'b', 'value at b'],
    apply: ({ place, login }) => place.host.setByHand(login.slot, otherValue),
    ids: (ground) => ['a:1', 'b:1'].map((endpoint) => `current-refused ${at(ground, endpoint)}`),
    typed: (ground) => `current-refused ${at(ground, 'a:1')}`,
  },
  {
    name: 'the current user can log in nowhere',
    touches: ['a', 'b', 'value at b'],
    apply: ({ place, login }) => place.host.setByHand(login.slot, undefined),
    ids: (ground) => ['a:1', 'b:1'].map((endpoint) => `current-refused ${at(ground, endpoint)}`),
    typed: (ground) => `current-refused ${at(ground, 'b:1')}`,
  },
  {
    name: 'who logs in at one endpoint can do no work',
    touches: ['a'],
    apply: ({ place }) => void (place.host.unfit = { 'a:1': 'it only reads' }),
    ids: (ground) => [`current-unfit ${at(ground, 'a:1')}`],
    mend: ({ place }) => void (place.host.unfit = {}),
  },
  {
    name: 'an endpoint gives up encryption',
    touches: ['accepts', 'b'],
    apply: (ground) => inClear(ground),
    ids: (ground) => [`current-not-encrypted ${at(ground, 'b:1')}`],
    mend: ({ around }) => void around.pop(),
  },
  {
    name: 'an endpoint is silent',
    touches: ['b'],
    apply: ({ place }) => place.host.setUp('b:1', false),
    ids: () => ['endpoint-silent b:1'],
    hides: ['too-many-values', 'idle-user-in-use', 'sessions-not-seen', '@b:1'],
    mend: ({ place }) => place.host.setUp('b:1', true),
  },
  {
    name: 'the service is silent',
    touches: ['a', 'b', 'up'],
    apply: ({ place }) => void (place.host.isUp = false),
    ids: () => ['service-silent'],
    hides: byService,
    mend: ({ place }) => void (place.host.isUp = true),
  },
  {
    name: 'the service cannot be asked what it is',
    touches: ['describe', 'up'],
    apply: ({ around }) =>
      void around.push((deps) => {
        return { ...deps, service: withOther(deps.service, { describe: () => Promise.reject(refused('no right')) }) };
      }),
    ids: () => ['service-silent'],
    hides: byService,
    mend: ({ around }) => void around.pop(),
  },
  {
    name: 'the service is not ready',
    touches: ['problems'],
    apply: ({ place }) => void (place.host.problems = ['the owner role is missing. Run: CREATE ROLE app_owner;']),
    ids: () => ['service-not-ready 3c93e505'],
    mend: ({ place }) => void (place.host.problems = []),
  },
  {
    name: 'consumers are at risk',
    touches: ['risks'],
    apply: ({ place }) => void (place.host.risks = ['app_a expires before the next rotation. Extend it.']),
    ids: () => ['service-risk 147af210'],
    mend: ({ place }) => void (place.host.risks = []),
  },
  {
    name: 'a single user may no longer be without service for a moment',
    touches: ['plan'],
    strategies: ['single'],
    apply: ({ around }) => void around.push((deps) => ({ ...deps, plan: { ...deps.plan, acceptDowntime: false } })),
    ids: () => ['service-not-ready 6ae21c5d'],
    mend: ({ around }) => void around.pop(),
  },
  {
    name: 'the user got one more value',
    touches: ['value at b'],
    before: ['rested'],
    strategies: ['additive'],
    apply: ({ place, login }) => place.host.addByHand(login.slot, otherValue),
    ids: ({ login }) => [`too-many-values ${login.slot}`],
    typed: ({ login }) => `too-many-values ${login.slot}`,
  },
  {
    name: 'somebody is logged in as the idle user',
    touches: ['idle', 'up'],
    before: ['rested', 'adopted'],
    strategies: ['alternating'],
    apply: (ground) => {
      ground.place.host.setByHand(idleOf(ground), otherValue);
      ground.place.host.openSession(idleOf(ground), otherValue, '10.0.0.9');
    },
    ids: (ground) => [`idle-user-in-use ${idleOf(ground)}`],
    mend: (ground) => {
      for (const session of ground.place.host.sessionsOf(idleOf(ground))) session.close();
    },
  },
  {
    name: 'nobody may see the sessions of the idle user',
    touches: ['idle'],
    before: ['rested', 'adopted'],
    strategies: ['alternating'],
    apply: ({ around }) =>
      void around.push((deps) => {
        return { ...deps, service: withOther(deps.service, { sessions: () => Promise.reject(refused('no right')) }) };
      }),
    ids: () => ['sessions-not-seen'],
    mend: ({ around }) => void around.pop(),
  },
];

/** The second endpoint answers without TLS. */
function inClear({ around }: Ground): void {
  around.push((deps) => {
    const { service } = deps;
    const accepts: typeof service.accepts = async (login) =>
      (await service.accepts(login)).map((one) => ({ ...one, encrypted: one.endpoint !== 'b:1' && one.encrypted }));
    return { ...deps, service: withOther(service, { accepts }) };
  });
}
