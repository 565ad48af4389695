import { LockkeeperError } from '../../base/error.ts';
import { instant, parseInstant, type Instant } from '../../base/time.ts';

/**
 * Reads what the EC2 API printed, field by field. Every wrong field is noted with its path, so that all mistakes of a
 * document are told at once by `done`.
 */
export class Fields {
  readonly #name: string;
  readonly #mistakes: string[] = [];

  /** `name` is the file or call that the document came from. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Throws `invalid` with every mistake that was noted; nothing where there was none. */
  done(): void {
    if (this.#mistakes.length === 0) return;
    const shown = this.#mistakes.slice(0, 10).join('; ');
    const more = this.#mistakes.length > 10 ? `; and ${this.#mistakes.length - 10} more` : '';
    throw new LockkeeperError('invalid', `${this.#name}: ${shown}${more}`, {
      hint: 'Save exactly what the AWS CLI prints with --output json.',
    });
  }

  /** Notes a mistake at a path. */
  wrong(path: string, why: string): void {
    this.#mistakes.push(`${path} ${why}`);
  }

  /** The list `field` of the document; a mistake where it is missing. */
  list(document: unknown, field: string): readonly Item[] {
    const value = memberOf(document, field);
    if (!Array.isArray(value)) {
      this.wrong(field, value === undefined ? 'is missing' : 'is not a list');
      return [];
    }
    if (memberOf(document, 'NextToken') !== undefined && memberOf(document, 'NextToken') !== null)
      this.wrong('NextToken', 'is there, so pages are missing');
    return value.map((entry: unknown, index) => this.item(entry, `${field}[${index}]`));
  }

  /** An object inside the document. */
  item(value: unknown, path: string): Item {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.wrong(path, 'is not an object');
    return new Item(value, path, this);
  }
}

/** One object of a document. A field of the wrong type is a mistake; a missing one is undefined. */
export class Item {
  readonly value: unknown;
  readonly path: string;
  readonly #fields: Fields;

  constructor(value: unknown, path: string, fields: Fields) {
    this.value = value;
    this.path = path;
    this.#fields = fields;
  }

  text(name: string): string | undefined {
    return this.#typed(name, 'string', (value) => (typeof value === 'string' ? value : undefined));
  }

  number(name: string): number | undefined {
    return this.#typed(name, 'whole number', (value) => (Number.isSafeInteger(value) ? Number(value) : undefined));
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  /** A text that must be there. */
  need(name: string): string {
    const found = this.text(name);
    if (found === undefined && memberOf(this.value, name) === undefined)
      this.#fields.wrong(`${this.path}.${name}`, 'is missing');
    return found ?? '';
  }

  /** A time as the AWS CLI prints it: RFC 3339, or seconds since 1970. */
  time(name: string): Instant | undefined {
    return this.#typed(name, 'time', (value) => {
      if (typeof value === 'number') return instant(value * 1000);
      return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(value)
        ? parseInstant(value)
        : undefined;
    });
  }

  /** The object under this name; undefined where there is none. */
  inner(name: string): Item | undefined {
    const value = memberOf(this.value, name);
    return value === undefined || value === null ? undefined : this.#fields.item(value, `${this.path}.${name}`);
  }

  /** The objects of the list under this name; empty where there is none. */
  items(name: string): readonly Item[] {
    const value = memberOf(this.value, name);
    if (value === undefined || value === null) return [];
    if (Array.isArray(value))
      return value.map((entry: unknown, index) => this.#fields.item(entry, `${this.path}.${name}[${index}]`));
    this.#fields.wrong(`${this.path}.${name}`, 'is not a list');
    return [];
  }

  /** What a caller found wrong with a field. */
  wrong(name: string, why: string): void {
    this.#fields.wrong(`${this.path}.${name}`, why);
  }

  #typed<Value>(name: string, type: string, read: (value: unknown) => Value | undefined): Value | undefined {
    const value = memberOf(this.value, name);
    if (value === undefined || value === null) return undefined;
    const found = read(value);
    if (found === undefined) this.#fields.wrong(`${this.path}.${name}`, `is not a ${type}`);
    return found;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
