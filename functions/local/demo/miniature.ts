/** What runs behind a gate of the demo. `absent`: the rule is there, the service is long gone. */
export type ServiceKind = 'postgres' | 'http' | 'tcp' | 'absent';

/** One service of the demo's miniature multi-cloud, with the opening that leads to it. */
export interface MiniatureService {
  readonly network: 'aws' | 'gcp' | 'azure';
  readonly name: string;
  readonly owner: string;
  readonly kind: ServiceKind;
  /** Preferred port at the gate. */
  readonly port: number;
  readonly consumers: readonly string[];
  /** Why somebody once opened it. */
  readonly description: string;
}

/** A client of the demo: who it is, and when it comes. */
export interface Visitor {
  readonly name: string;
  /** Its own loopback address, so that logs can tell it from others. */
  readonly from: string;
  readonly service: string;
  /** True in the hours in which it comes; `weekday` 0 is Sunday. */
  readonly comes: (at: { readonly hour: number; readonly weekday: number }) => boolean;
}

/** Who owns the demo's services, and who may approve; an owner never does. */
export const people = { owner: 'olga', approvers: ['ada', 'ben'] } as const;

const owner = people.owner;

/** Three networks, nine services, an opening to each. */
export const miniature: readonly MiniatureService[] = [
  {
    network: 'aws',
    name: 'orders-db',
    owner,
    kind: 'postgres',
    port: 15_432,
    consumers: ['orders-app'],
    description: 'orders database for the shop',
  },
  {
    network: 'aws',
    name: 'reports-db',
    owner,
    kind: 'postgres',
    port: 15_433,
    consumers: ['reports-job'],
    description: 'reports database, with one user only',
  },
  {
    network: 'aws',
    name: 'orders-api',
    owner,
    kind: 'http',
    port: 18_101,
    consumers: ['web-shop'],
    description: 'orders for the web shop',
  },
  {
    network: 'aws',
    name: 'legacy-ftp',
    owner,
    kind: 'tcp',
    port: 18_121,
    consumers: [],
    description: 'file drop of a partner who left',
  },
  {
    network: 'aws',
    name: 'old-admin',
    owner,
    kind: 'absent',
    port: 18_199,
    consumers: [],
    description: 'admin console, replaced last year',
  },
  { network: 'aws', name: 'metrics', owner, kind: 'tcp', port: 18_125, consumers: [], description: 'metrics intake' },
  {
    network: 'gcp',
    name: 'catalog-api',
    owner,
    kind: 'http',
    port: 18_201,
    consumers: ['web-shop'],
    description: 'product catalogue',
  },
  {
    network: 'azure',
    name: 'billing-api',
    owner,
    kind: 'http',
    port: 18_301,
    consumers: ['back-office'],
    description: 'invoices',
  },
  {
    network: 'azure',
    name: 'ledger',
    owner,
    kind: 'tcp',
    port: 18_302,
    consumers: ['close-of-week'],
    description: 'ledger, fed once a week',
  },
];

const isDaytime = (hour: number): boolean => hour >= 7 && hour <= 19;

/** Daily users, a monitor, a weekly job, and a scanner that knocks where nobody answers. */
export const visitors: readonly Visitor[] = [
  { name: 'orders-app', from: '127.0.10.1', service: 'orders-db', comes: ({ hour }) => hour % 6 === 0 },
  { name: 'reports-job', from: '127.0.10.4', service: 'reports-db', comes: ({ hour }) => hour === 5 },
  { name: 'web-shop', from: '127.0.10.2', service: 'orders-api', comes: ({ hour }) => isDaytime(hour) },
  { name: 'web-shop', from: '127.0.10.2', service: 'catalog-api', comes: ({ hour }) => isDaytime(hour) },
  {
    name: 'back-office',
    from: '127.0.10.3',
    service: 'billing-api',
    comes: ({ hour, weekday }) => hour === 10 && weekday >= 1 && weekday <= 5,
  },
  { name: 'monitor', from: '127.0.9.9', service: 'billing-api', comes: () => true },
  {
    name: 'close-of-week',
    from: '127.0.20.1',
    service: 'ledger',
    comes: ({ hour, weekday }) => hour === 22 && weekday === 0,
  },
  { name: 'scanner', from: '127.0.66.6', service: 'old-admin', comes: ({ hour }) => hour === 3 },
];

/** The days in the middle of the history in which the interface of `metrics` was not logged. */
export const gap = { service: 'metrics', fromDay: 25, toDay: 30 } as const;

/** The id of the opening that leads to a service. */
export function openingOf(service: Pick<MiniatureService, 'network' | 'name'>): string {
  return `${service.network}-${service.name}`;
}
