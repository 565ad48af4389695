import { LockkeeperError, type ErrorCode } from '../base/error.ts';
import type { Sealed } from '../base/sealed.ts';
import type { World } from '../base/world.ts';
import type { Change, Firewall, FirewallState, Interface, Opening, PreparedChange } from './contract.ts';
import { callGate, type GateAnswer, type GateRequest } from './local-gate/call.ts';
import { parseRule, record, ruleAsPlain, ruleFingerprint, text, texts, type GateRule } from './local-gate/rule.ts';

export interface LocalGateOptions {
  /** As in lockkeeper.yaml. */
  readonly name: string;
  /** The gate's admin API, http://127.0.0.1:PORT. */
  readonly url: string;
  /** What gate and client prove to each other that they hold; it is never sent. */
  readonly token: Sealed;
  readonly world: Pick<World, 'random'>;
  /** How long one request may take, in milliseconds; 5,000 by default. */
  readonly timeoutMs?: number;
}

/**
 * The firewall of a local gate, over its admin API. A closed opening is a rule taken out under its fingerprint;
 * restoring puts the same rule back, creation time and tags included. Open connections live on until they end.
 */
export function localGate(options: LocalGateOptions): Firewall {
  const api = new GateApi(options);
  return {
    openings: () => api.state(),
    prepare: (change) => prepare(api, options.name, change),
    apply: async (prepared) => {
      const id = prepared.change.opening;
      const answer = await api.remove(id, prepared.fingerprint);
      if (answer === 'stale')
        throw changed(`opening ${id} at gate ${options.name} was changed since the change was prepared`, 'Scan again.');
    },
    restore: async (prepared) => {
      const rule = parseRule(prepared.before, `the prepared change of ${prepared.change.opening}`);
      if ((await api.create(rule)) === 'done') return;
      const live = await api.rule(rule.id);
      if (live !== undefined && ruleFingerprint(live) === prepared.fingerprint) return;
      throw changed(
        `opening ${rule.id} at gate ${options.name} was changed by somebody after it was closed`,
        'Compare the live rule with the prepared one and decide.',
      );
    },
  };
}

async function prepare(api: GateApi, firewall: string, change: Change): Promise<PreparedChange> {
  const rule = await api.rule(change.opening);
  if (rule === undefined)
    throw new LockkeeperError('not-found', `gate ${firewall} has no opening ${change.opening}`, {
      hint: 'It may be closed already. Scan again.',
    });
  return {
    firewall,
    change,
    before: ruleAsPlain(rule),
    after: undefined,
    fingerprint: ruleFingerprint(rule),
    rejectsVisible: true,
    openConnectionsLastMs: undefined,
  };
}

function changed(what: string, hint: string): LockkeeperError {
  return new LockkeeperError('conflict', what, { hint: `Nothing was changed. ${hint}` });
}

class GateApi {
  readonly #options: LocalGateOptions;

  constructor(options: LocalGateOptions) {
    this.#options = options;
  }

  async state(): Promise<FirewallState> {
    const answer = await this.#call({ method: 'GET', path: '/openings' });
    if (answer.status !== 200) throw this.#failed(answer, 'reading its openings');
    return parseState(this.#json(answer), `gate ${this.#options.name}`);
  }

  /** One rule as it is now; undefined where there is none. */
  async rule(id: string): Promise<GateRule | undefined> {
    const answer = await this.#call({ method: 'GET', path: pathOf(id) });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#failed(answer, `reading opening ${id}`);
    return parseRule(this.#json(answer), `opening ${id} of gate ${this.#options.name}`);
  }

  /** A rule that is gone already counts as removed. */
  async remove(id: string, fingerprint: string): Promise<'done' | 'stale'> {
    const answer = await this.#call({ method: 'DELETE', path: pathOf(id), ifMatch: `"${fingerprint}"` });
    if (answer.status === 204 || answer.status === 404) return 'done';
    if (answer.status === 412) return 'stale';
    throw this.#failed(answer, `closing opening ${id}`);
  }

  async create(rule: GateRule): Promise<'done' | 'exists'> {
    const body = JSON.stringify(ruleAsPlain(rule));
    const answer = await this.#call({ method: 'PUT', path: pathOf(rule.id), ifNoneMatch: '*', body });
    if (answer.status === 200) return 'done';
    if (answer.status === 412) return 'exists';
    throw this.#failed(answer, `putting back opening ${rule.id}`);
  }

  async #call(request: GateRequest): Promise<GateAnswer> {
    return callGate({ ...this.#options, timeoutMs: this.#options.timeoutMs ?? 5_000 }, request);
  }

  #json({ body }: GateAnswer): unknown {
    try {
      return JSON.parse(body);
    } catch (cause) {
      const { name, url } = this.#options;
      throw new LockkeeperError('unreachable', `gate ${name} (${url}) answered what is not JSON`, { cause });
    }
  }

  #failed({ status, body }: GateAnswer, what: string): LockkeeperError {
    const said = `${what} at gate ${this.#options.name} failed with ${status}: ${body.slice(0, 300)}`;
    return new LockkeeperError(codeOf(status), said);
  }
}

function pathOf(id: string): string {
  return `/openings/${encodeURIComponent(id)}`;
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'denied';
  if (status === 429) return 'throttled';
  if (status === 400 || status === 413) return 'invalid';
  if (status === 507) return 'rejected';
  return status >= 500 ? 'unreachable' : 'conflict';
}

function parseState(answer: unknown, where: string): FirewallState {
  const fields = record(answer, where);
  const cloud = fields['cloud'];
  if (cloud !== 'aws' && cloud !== 'gcp' && cloud !== 'azure')
    throw new LockkeeperError('invalid', `${where} has an unknown cloud`);
  if (!Array.isArray(fields['rules']) || !Array.isArray(fields['interfaces']))
    throw new LockkeeperError('invalid', `${where} sent no lists of rules and interfaces`);
  const ruleSet = text(fields['ruleSet'], `${where} rule set`);
  return {
    cloud,
    evaluation: 'union',
    openings: fields['rules'].map((rule: unknown) => asOpening(parseRule(rule, `${where} rule`), ruleSet)),
    interfaces: fields['interfaces'].map((one: unknown) => parseInterface(one, `${where} interface`)),
  };
}

function asOpening(rule: GateRule, ruleSet: string): Opening {
  return {
    id: rule.id,
    ruleSet,
    direction: 'ingress',
    protocol: 6,
    ports: rule.ports,
    sources: [{ kind: 'addresses', cidrs: rule.sources }],
    targets: rule.targets,
    createdAt: rule.createdAt,
    description: rule.description,
    managedBy: rule.tags['managed-by'],
    rule: ruleAsPlain(rule),
    fingerprint: ruleFingerprint(rule),
  };
}

function parseInterface(value: unknown, where: string): Interface {
  const fields = record(value, where);
  return {
    id: text(fields['id'], `${where} id`),
    addresses: texts(fields['addresses'], `${where} addresses`),
    within: texts(fields['within'], `${where} within`),
    attachedAt: undefined,
    blindSpot: undefined,
  };
}
