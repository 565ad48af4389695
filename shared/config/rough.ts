import { z } from 'zod';
import { isPattern } from '../calendars/times.ts';
import { listOf, maybeText, maybeTexts } from './lenient.ts';

const maybePort = z.number().optional().catch(undefined);
const texts = listOf(z.string().catch(''));
const named = z.looseObject({ name: maybeText }).catch({ name: undefined });

const place = z.object({
  store: maybeText,
  name: maybeText,
  form: maybeText,
  userKey: maybeText,
  passwordKey: maybeText,
});
const maybePlace = place.optional().catch(undefined);
const reference = z.object({ secret: maybePlace }).optional().catch(undefined);

/** What engines add stays as it was written: their own files look at it. */
const credential = z.looseObject({
  engine: maybeText,
  users: maybeTexts,
  secrets: listOf(place.catch({})),
  admin: z.object({ user: maybeText, password: reference, secret: maybePlace }).optional().catch(undefined),
  refreshes: listOf(z.object({ name: maybeText, key: reference }).catch({})),
});

const roughService = z
  .object({
    name: maybeText,
    network: maybeText,
    port: maybePort,
    protocol: z.string().catch('tcp'),
    owner: maybeText,
    approvers: maybeTexts,
    forwardTo: maybeText,
    credential: credential.optional().catch(undefined),
  })
  .catch({ protocol: 'tcp' });

const network = z
  .object({
    cloud: maybeText,
    firewall: z
      .object({ run: z.boolean().catch(false) })
      .optional()
      .catch(undefined),
    flowLogs: listOf(named),
  })
  .catch({ flowLogs: [] });

const store = z
  .object({
    kind: maybeText,
    path: maybeText,
    bucket: maybeText,
    account: maybeText,
    container: maybeText,
    prefix: maybeText,
    endpoint: maybeText,
  })
  .optional()
  .catch(undefined);

const audit = z
  .object({
    key: z.object({ path: maybeText }).optional().catch({}),
    witnesses: listOf(z.object({ key: maybeText }).catch({})),
    needed: z.number().optional().catch(undefined),
    anchors: listOf(store),
  })
  .catch({ witnesses: [], anchors: [] });

/** When lockkeeper looks at what is due unless the configuration says otherwise. */
const everyHour = '0 * * * *';
const runs = maybeText.transform((text) => (text !== undefined && isPattern(text) ? text : everyHour));

/** Reads a configuration leniently: it takes any map, and what is wrong in it becomes undefined or empty. */
export const rough = z.object({
  stores: z.object({ state: store, log: store }).catch({}),
  audit,
  secrets: z.record(z.string(), z.unknown()).catch({}),
  networks: z.record(z.string(), network).catch({}),
  services: listOf(roughService),
  idlePorts: z
    .object({
      exemptions: listOf(z.object({ network: maybeText }).catch({})),
      freezes: listOf(z.object({ from: maybeText, to: maybeText }).catch({})),
    })
    .catch({ exemptions: [], freezes: [] }),
  schedules: z.object({ rotate: runs }).catch({ rotate: everyHour }),
  approvals: z
    .object({ needed: z.number().catch(1), approvers: texts })
    .optional()
    .catch(undefined),
});

/** What the checks between parts of a configuration look at; whatever is wrong by itself is left out. */
export type Rough = z.output<typeof rough>;
/** One service of it. */
export type RoughService = Rough['services'][number];
/** One store of it. */
export type RoughStore = Rough['stores']['log'];
/** The credential of a service. */
export type RoughCredential = z.output<typeof credential>;
/** A secret in one of the stores. */
export type RoughPlace = z.output<typeof place>;
