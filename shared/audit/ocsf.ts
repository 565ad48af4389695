import type { AuditEvent, Subject } from './entry.ts';

/** How OCSF files an event: its class, activity, severity and status. */
export interface Classification {
  readonly category_uid: number;
  readonly class_uid: number;
  readonly activity_id: number;
  /** class_uid * 100 + activity_id. */
  readonly type_uid: number;
  readonly severity_id: number;
  readonly status_id: number;
  readonly status: string;
}

/** The version of the schema that entries follow: https://schema.ocsf.io/ */
export const ocsfVersion = '1.6.0';

/**
 * The class of an event by its subject, the activity by its verb:
 *
 *     opening              7004 Network Remediation Activity    1 Isolate (apply), 3 Restore (restore, reopen), 99 Other
 *     run                  6002 Application Lifecycle           3 Start, 4 Stop, 99 Other
 *     everything else      3004 Entity Management               1 Create, 2 Read, 4 Delete, 3 Update for other verbs
 *
 * Account Change (3001) would say "password change" better, but it is deprecated since 1.9.0.
 */
export function classify(event: AuditEvent): Classification {
  const { category, uid, activities, otherwise } = classes[event.subject.kind];
  const verb = event.action.slice(event.action.lastIndexOf('.') + 1).split('-')[0] ?? '';
  const activity = activities[verb] ?? otherwise;
  return {
    category_uid: category,
    class_uid: category * 1_000 + uid,
    activity_id: activity,
    type_uid: (category * 1_000 + uid) * 100 + activity,
    severity_id: event.result === undefined || event.result === 'done' ? informational : medium,
    status_id: event.result === undefined ? 0 : statuses[event.result],
    status: event.result ?? event.stage,
  };
}

const informational = 1;
const medium = 3;
const other = 99;

interface EventClass {
  readonly category: number;
  readonly uid: number;
  readonly activities: Readonly<Record<string, number>>;
  readonly otherwise: number;
}

const remediation: EventClass = { category: 7, uid: 4, activities: { apply: 1, restore: 3, reopen: 3 }, otherwise: other };
const lifecycle: EventClass = { category: 6, uid: 2, activities: { start: 3, end: 4, stop: 4 }, otherwise: other };
const update = 3;
const entity: EventClass = {
  category: 3,
  uid: 4,
  activities: { create: 1, stage: 1, plan: 1, ask: 1, import: 1, read: 2, rehearse: 2, adopt: 2, retire: 4, abandon: 4, void: 4 },
  otherwise: update,
};

const classes: Readonly<Record<Subject['kind'], EventClass>> = {
  opening: remediation,
  run: lifecycle,
  credential: entity,
  proposal: entity,
  'flow-log': entity,
  log: entity,
};

const statuses: Readonly<Record<NonNullable<AuditEvent['result']>, number>> = { done: 1, failed: 2, refused: 2, uncertain: 0 };
