import { emptyShelf } from '../../../shared/secrets/shelf.ts';
import { loginOf, putText, textOf, type Ground } from './ground.ts';
import { at, idleOf, type Way } from './way.ts';

const byHand = 'a-value-that-somebody-wrote-by-hand-0123456789';
const storeKinds = ['store-changed', 'store-empty', 'store-no-login', 'store-unknown-user', 'store-stale-password'];
const everyStoreKind = [...storeKinds, 'staged-orphan', 'ended-version-kept'];
/** Where only one store is left, or none, less is known of what is handed out. */
const hidden = ['stores-differ', 'idle-user-in-use', 'sessions-not-seen', 'too-many-values'];

/** What can be wrong in the stores. */
export const storeWays: readonly Way[] = [
  {
    name: 'a store cannot be read',
    touches: ['one', 'one staged'],
    apply: ({ place }) => place.vaults['one']?.setCorrupt('app-db', true),
    ids: () => ['store-unreadable one/app-db'],
    hides: hidden,
    mend: ({ place }) => place.vaults['one']?.setCorrupt('app-db', false),
  },
  {
    name: 'a secret is gone',
    touches: ['one', 'one staged'],
    apply: ({ place }) => place.vaults['one']?.shelves.delete('app-db'),
    ids: () => ['store-unreadable one/app-db'],
    hides: hidden,
  },
  {
    name: 'a store was emptied',
    touches: ['two'],
    before: ['rested', 'adopted'],
    apply: ({ place }) => place.vaults['two']?.shelves.set('app/db', emptyShelf),
    ids: () => ['store-empty two/app/db'],
    hides: ['idle-user-in-use', 'sessions-not-seen', 'too-many-values', 'stores-differ'],
    typed: () => 'store-empty two/app/db',
  },
  {
    name: 'a store holds no login',
    touches: ['two'],
    apply: (ground) => putText(ground, 'two', 'out of order'),
    ids: () => ['store-no-login two/app/db', 'store-changed two/app/db'],
    hides: ['idle-user-in-use', 'sessions-not-seen', 'too-many-values', 'stores-differ'],
    mend: (ground) => putText(ground, 'two', textOf(ground.login)),
  },
  {
    name: 'a store hands out a user that the service does not rotate',
    touches: ['two'],
    apply: (ground) => putText(ground, 'two', textOf(loginOf('stranger', byHand))),
    ids: () => ['store-unknown-user two/app/db', 'store-changed two/app/db', 'stores-differ'],
    mend: (ground) => putText(ground, 'two', textOf(ground.login)),
  },
  {
    name: 'a text repeats the password',
    touches: ['one'],
    apply: (ground) => {
      const { slot, value } = ground.login;
      putText(ground, 'one', JSON.stringify({ username: slot, password: value.open(), note: `it is ${value.open()}` }));
    },
    ids: () => ['store-stale-password one/app-db'],
    // Where nothing else shows the login that was published, nobody can say that the text holds the same.
    mayAlso: ['store-changed'],
    mend: (ground) => putText(ground, 'one', textOf(ground.login)),
  },
  {
    name: 'one store hands out a value that nobody set',
    touches: ['one'],
    apply: (ground) => putText(ground, 'one', textOf(loginOf(ground.login.slot, byHand))),
    ids: (ground) => [
      'store-changed one/app-db',
      'stores-differ',
      ...['a:1', 'b:1'].map((endpoint) => `current-refused ${at(ground, endpoint)}`),
    ],
    mend: (ground) => putText(ground, 'one', textOf(ground.login)),
  },
  {
    name: 'a person changed service and stores by hand',
    touches: ['one', 'two', 'a', 'b', 'value at b'],
    apply: (ground) => {
      ground.place.host.setByHand(ground.login.slot, byHand);
      for (const store of ['one', 'two'] as const) putText(ground, store, textOf(loginOf(ground.login.slot, byHand)));
    },
    ids: () => ['store-changed one/app-db', 'store-changed two/app/db'],
    typed: () => 'store-changed one/app-db',
  },
  {
    name: 'a person went to the other user by hand',
    touches: ['one', 'two', 'idle', 'a', 'b', 'accepts', 'value at b'],
    before: ['rested'],
    strategies: ['alternating'],
    apply: (ground) => {
      ground.place.host.setByHand(idleOf(ground), byHand);
      for (const store of ['one', 'two'] as const) putText(ground, store, textOf(loginOf(idleOf(ground), byHand)));
    },
    ids: () => ['store-changed one/app-db', 'store-changed two/app/db'],
    typed: () => 'store-changed two/app/db',
  },
  {
    name: 'somebody staged a value',
    touches: ['one staged'],
    apply: (ground) => stageIn(ground, 'r-nobody-knows'),
    ids: () => ['staged-orphan one/app-db'],
    typed: () => 'staged-orphan one/app-db',
  },
  {
    name: 'a writer that slept staged for a rotation that is over',
    touches: ['one staged'],
    before: ['rested'],
    apply: (ground) => stageIn(ground, ground.place.journal()?.past.at(-1) ?? ''),
    ids: () => ['staged-orphan one/app-db'],
    typed: () => 'staged-orphan one/app-db',
  },
  {
    name: 'a version that was ended is back',
    touches: ['one'],
    before: ['rested'],
    stores: ({ keepsPrevious }) => keepsPrevious ?? true,
    apply: (ground) => bringBack(ground),
    ids: ({ ended }) => [`ended-version-kept one/app-db ${ended.id}`],
    typed: ({ ended }) => `ended-version-kept one/app-db ${ended.id}`,
  },
  {
    name: 'a value that was ended logs in again',
    touches: ['one', 'idle', 'value at b'],
    before: ['rested'],
    strategies: ['alternating', 'additive'],
    stores: ({ keepsPrevious }) => keepsPrevious ?? true,
    apply: (ground) => {
      const { slot, value } = ground.ended.login;
      bringBack(ground);
      ground.place.host.addByHand(slot, value.open());
    },
    ids: ({ ended, setting }) => [
      `ended-version-kept one/app-db ${ended.id}`,
      ...['a:1', 'b:1'].map((endpoint) => `ended-accepted ${ended.login.slot}@${endpoint}`),
      ...(setting.strategy === 'additive' ? [`too-many-values ${ended.login.slot}`] : []),
    ],
    typed: ({ ended }) => `ended-accepted ${ended.login.slot}@b:1`,
  },
];

/** What a store that cannot be read hides of itself. */
export const hiddenByStore: Readonly<Record<string, readonly string[]>> = {
  'store-unreadable one/app-db': everyStoreKind.map((kind) => `${kind} one/app-db`),
};

function stageIn({ place, login }: Ground, rotation: string): void {
  const shelf = place.vaults['one']?.shelves.get('app-db');
  const text = textOf(loginOf(login.slot, byHand));
  if (shelf) place.vaults['one']?.shelves.set('app-db', { ...shelf, pending: { id: 'v-staged', text, rotation } });
}

function bringBack({ place, ended }: Ground): void {
  const shelf = place.vaults['one']?.shelves.get('app-db');
  if (shelf) place.vaults['one']?.shelves.set('app-db', { ...shelf, earlier: [{ id: ended.id, text: ended.text }] });
}
