/** Every kind of difference between the journal, the stores and the service, and what it is about. */
export type FindingKind = JournalKind | StoreKind | ServiceKind;

/** What is wrong with the journal, or with the rotation that it holds. */
export type JournalKind =
  | 'not-adopted'
  | 'journal-unreadable'
  | 'journal-lost'
  | 'journal-older'
  | 'rotation-blocked'
  | 'rotation-overdue'
  | 'copy-not-configured';

/** What is wrong in one store, or between stores. */
export type StoreKind = (typeof storeKinds)[number] | 'stores-differ';

/** The place of each of these is one secret of one store, or one version of it. */
export const storeKinds = [
  'store-unreadable',
  'store-empty',
  'store-no-login',
  'store-unknown-user',
  'store-stale-password',
  'store-changed',
  'staged-orphan',
  'ended-version-kept',
] as const;

/** What is wrong at the service. */
export type ServiceKind =
  | 'service-silent'
  | 'service-not-ready'
  | 'service-risk'
  | 'endpoint-silent'
  | LoginKind
  | 'too-many-values'
  | 'idle-user-in-use'
  | 'sessions-not-seen';

/** What a login brings to light; the place is user@endpoint. */
export type LoginKind = 'current-refused' | 'current-unfit' | 'current-not-encrypted' | 'ended-accepted';

/** One difference. Nothing in it is a secret. */
export interface Finding {
  /** The kind and the place, the same in every check for as long as it lasts. */
  readonly id: string;
  readonly kind: FindingKind;
  /** Where: a store's secret, user@endpoint, a user, a rotation; empty where there is one place only. */
  readonly place: string;
  /** What was found, as one sentence. */
  readonly what: string;
  /** What a person does about it. */
  readonly todo: string;
  /** People heard of it in another way, so that it alone is no reason to notify them. */
  readonly isTold?: boolean;
}

/**
 * What a check could not look into: every finding of the kind, or the one at `place`. What is known of it stays as it is.
 */
export interface Unchecked {
  readonly kind: FindingKind;
  readonly place?: string;
  /** Only findings that were first found under this rotation. */
  readonly rotation?: string | undefined;
}

/** What one check found, and what it could not look into. */
export interface Found {
  readonly findings: readonly Finding[];
  readonly unchecked: readonly Unchecked[];
}

/** One finding. */
export function finding(kind: FindingKind, place: string, told: Pick<Finding, 'what' | 'todo' | 'isTold'>): Finding {
  return { id: idOf(kind, place), kind, place, ...told };
}

/** The name of a finding, the same in every check. */
export function idOf(kind: FindingKind, place: string): string {
  return place === '' ? kind : `${kind} ${place}`;
}

/** Everything that several looks found, each id once. */
export function together(all: readonly Found[]): Found {
  const byId = new Map<string, Finding>();
  for (const one of all.flatMap(({ findings }) => findings)) if (!byId.has(one.id)) byId.set(one.id, one);
  return { findings: [...byId.values()], unchecked: all.flatMap(({ unchecked }) => unchecked) };
}
