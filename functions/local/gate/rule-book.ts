import { rename } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { dirname } from 'node:path';
import { LockkeeperError } from '../../../shared/base/error.ts';
import { readGuarded, syncDirectory } from '../../../shared/base/owner-file.ts';
import { makePrivateFolder, writePrivateFile } from '../../../shared/base/private-files.ts';
import { parseRule, ruleAsPlain, ruleFingerprint, type GateRule } from '../../../shared/firewalls/local-gate/rule.ts';

/** What a write expects of the rule that is there now: this fingerprint, or that there is none. */
export type Expected = { readonly fingerprint: string } | 'absent';

/** What became of a conditional write. */
export type BookAnswer = 'done' | 'missing' | 'stale' | 'exists';

/**
 * The rules of one gate, in memory for every new connection and in one file for the next start. A write is on disk
 * before it counts: file, then memory. Killed between the two, the next start reads the file.
 */
export class RuleBook {
  readonly #path: string;
  readonly #rules: Map<string, GateRule>;
  readonly #sources = new Map<string, BlockList>();
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(path: string, rules: readonly GateRule[]) {
    this.#path = path;
    this.#rules = new Map(rules.map((rule) => [rule.id, rule]));
  }

  /** Reads the book; an absent file is an empty book. `invalid` where the file is not one. */
  static async open(path: string): Promise<RuleBook> {
    return new RuleBook(path, await readRules(path));
  }

  /** All rules in the order of their ids. */
  rules(): readonly GateRule[] {
    return [...this.#rules.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The first rule, by id, that lets `address` in at this port of this interface; undefined: nobody does. */
  admits(target: string, port: number, address: string): GateRule | undefined {
    return this.rules().find(
      (rule) =>
        rule.targets.includes(target) &&
        rule.ports.from <= port &&
        port <= rule.ports.to &&
        this.#blockList(rule).check(address, family(address)),
    );
  }

  /** Puts `rule` in the place of what `expected` says; durable on return. */
  async put(rule: GateRule, expected: Expected): Promise<BookAnswer> {
    return this.#alone(rule.id, expected, (rules) => rules.set(rule.id, rule));
  }

  /** Takes the rule out; durable on return. */
  async remove(id: string, expected: { readonly fingerprint: string }): Promise<BookAnswer> {
    return this.#alone(id, expected, (rules) => rules.delete(id));
  }

  async #alone(id: string, expected: Expected, change: (rules: Map<string, GateRule>) => unknown): Promise<BookAnswer> {
    const turn = this.#write(this.#tail, { id, expected, change });
    // The next write has its turn whatever becomes of this one; whoever asked for this one hears its error.
    this.#tail = Promise.allSettled([turn]);
    return turn;
  }

  async #write(earlier: Promise<unknown>, { id, expected, change }: Write): Promise<BookAnswer> {
    await earlier;
    const answer = compare(this.#rules.get(id), expected);
    if (answer !== 'done') return answer;
    const next = new Map(this.#rules);
    change(next);
    await writeRules(this.#path, [...next.values()]).catch((cause: unknown) => {
      const hint = 'Nothing was changed. Make room on the disk, or check the rights of the directory.';
      throw new LockkeeperError('unreachable', `writing the gate's rules to ${this.#path} failed`, { cause, hint });
    });
    change(this.#rules);
    this.#sources.delete(id);
    return answer;
  }

  #blockList(rule: GateRule): BlockList {
    const made = this.#sources.get(rule.id);
    if (made !== undefined) return made;
    const list = new BlockList();
    for (const cidr of rule.sources) {
      const [address = '', prefix = ''] = cidr.split('/');
      list.addSubnet(address, Number(prefix), family(address));
    }
    this.#sources.set(rule.id, list);
    return list;
  }
}

interface Write {
  readonly id: string;
  readonly expected: Expected;
  readonly change: (rules: Map<string, GateRule>) => unknown;
}

function compare(live: GateRule | undefined, expected: Expected): BookAnswer {
  if (expected === 'absent') return live === undefined ? 'done' : 'exists';
  if (live === undefined) return 'missing';
  return ruleFingerprint(live) === expected.fingerprint ? 'done' : 'stale';
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

async function readRules(path: string): Promise<readonly GateRule[]> {
  const content = await readGuarded(path, 'anyone').catch((cause: unknown) => {
    if (cause instanceof LockkeeperError) throw cause;
    throw new LockkeeperError('unreachable', `reading the gate's rules from ${path} failed`, { cause });
  });
  const parsed: unknown = parseJson(content ?? '[]', path);
  if (!Array.isArray(parsed)) throw new LockkeeperError('invalid', `${path} is not a list of rules`);
  return parsed.map((rule: unknown, index) => parseRule(rule, `${path} rule ${index}`));
}

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new LockkeeperError('invalid', `${path} is not JSON`, {
      cause,
      hint: 'Put the file back from a copy, or delete it to begin with no rules (everything refused).',
    });
  }
}

/** Killed before the rename: the old file stands, and the next write throws the left-over away. */
async function writeRules(path: string, rules: readonly GateRule[]): Promise<void> {
  await makePrivateFolder(dirname(path));
  const temporary = `${path}.new`;
  const text = `${JSON.stringify(rules.map(ruleAsPlain), undefined, 1)}\n`;
  await writePrivateFile(temporary, text, { over: 'anew', sync: true });
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}
