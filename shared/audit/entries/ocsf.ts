import type { AuditEvent, Subject } from '../entry.ts';

/** How OCSF files an event: its class, activity, severity and status. */
export interface Classification {
  readonly category_uid: number;
  readonly class_uid: number;
  readonly activity_id: number;
  /** OCSF's own caption; for 99 (Other), where the schema leaves the name to the source, our action. */
  readonly activity_name: string;
  /** class_uid * 100 + activity_id. */
  readonly type_uid: number;
  readonly severity_id: number;
  readonly status_id: number;
  /** The caption of status_id: Unknown, Success or Failure. */
  readonly status: string;
  /** Our own word for it: intent, fact, done, failed, refused, uncertain. */
  readonly status_detail: string;
}

/**
 * The version of the schema that entries follow: https://schema.ocsf.io/1.6.0/. 7004 is in it since 1.3.0, and nothing
 * that entries use is deprecated in it; `app` of 6002 is from 1.9.0 on.
 */
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
  const [activity, name] = (Object.hasOwn(activities, verb) ? activities[verb] : undefined) ?? otherwise;
  const classUid = category * 1_000 + uid;
  const [statusId, status] = event.result === undefined ? unknown : statuses[event.result];
  return {
    category_uid: category,
    class_uid: classUid,
    activity_id: activity,
    activity_name: activity === other[0] ? event.action : name,
    type_uid: classUid * 100 + activity,
    severity_id: Math.max(
      severityOf(event),
      event.result === undefined || event.result === 'done' ? informational : medium,
    ),
    status_id: statusId,
    status,
    status_detail: event.result ?? event.stage,
  };
}

const [informational, low, medium, high] = [1, 2, 3, 4];

/**
 * How much an action matters however it goes: somebody may be cut off, or holds a value that he should not. Somebody
 * new who is refused at a closed opening is what closing is for, unless the house knows him.
 */
function severityOf({ action, details }: AuditEvent): number {
  switch (action) {
    case 'rotation.block':
    case 'rotation.order':
      return high;
    case 'rotation.warn':
    case 'rotation.overdue':
    case 'credential.warn':
    case 'rotation.missed':
    case 'rotation.refresh-failed':
    case 'rotation.follow':
      return medium;
    case 'credential.remind':
      return details['expired'] === true ? medium : low;
    case 'rotation.plan':
      return details['leaked'] === undefined ? informational : high;
    case 'closure.reopen':
      return details['automatic'] === true ? high : medium;
    case 'closure.restore':
    case 'closure.found-open':
      return medium;
    case 'closure.knock':
      return details['known'] === true ? medium : low;
    default:
      return informational;
  }
}

/** A number of OCSF with its caption. */
type Caption = readonly [id: number, name: string];

const other: Caption = [99, 'Other'];

interface EventClass {
  readonly category: number;
  readonly uid: number;
  readonly activities: Readonly<Record<string, Caption>>;
  readonly otherwise: Caption;
}

const restore: Caption = [3, 'Restore'];
const remediation: EventClass = {
  category: 7,
  uid: 4,
  activities: { apply: [1, 'Isolate'], restore, reopen: restore },
  otherwise: other,
};

const [start, stop]: readonly [Caption, Caption] = [
  [3, 'Start'],
  [4, 'Stop'],
];
const lifecycle: EventClass = { category: 6, uid: 2, activities: { start, end: stop, stop }, otherwise: other };

const create: Caption = [1, 'Create'];
const read: Caption = [2, 'Read'];
const remove: Caption = [4, 'Delete'];
const entity: EventClass = {
  category: 3,
  uid: 4,
  activities: {
    create,
    stage: create,
    plan: create,
    ask: create,
    import: create,
    read,
    rehearse: read,
    adopt: read,
    login: read,
    collect: read,
    retire: remove,
    clear: remove,
    abandon: remove,
    void: remove,
  },
  otherwise: [3, 'Update'],
};

const classes: Readonly<Record<Subject['kind'], EventClass>> = {
  opening: remediation,
  run: lifecycle,
  credential: entity,
  proposal: entity,
  'flow-log': entity,
  log: entity,
};

const unknown: Caption = [0, 'Unknown'];
const failure: Caption = [2, 'Failure'];
const statuses: Readonly<Record<NonNullable<AuditEvent['result']>, Caption>> = {
  done: [1, 'Success'],
  failed: failure,
  refused: failure,
  uncertain: unknown,
};
