import { sha256 } from '../../base/canonical.ts';
import { Sealed } from '../../base/sealed.ts';
import { after, minute, type Instant } from '../../base/time.ts';
import type { World } from '../../base/world.ts';

/** What a link's code leads to. */
export type LinkState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired'; readonly who: string }
  | { readonly kind: 'used'; readonly who: string; readonly at: Instant }
  | { readonly kind: 'fresh'; readonly who: string };

interface Link {
  readonly who: string;
  readonly issued: Instant;
  readonly ends: Instant;
  usedAt: Instant | undefined;
}

/** Links asked for on the page come no faster than this, for each person. */
const pauseMs = minute;
/** What an old link was is told for a day. */
const rememberedMs = 24 * 60 * minute;

/**
 * Codes that let one person in, each once and for a limited time. They are kept and compared as SHA-256, so neither
 * memory nor timing tells one. The end of the process ends all.
 */
export class Links {
  readonly #world: World;
  readonly #lifeMs: number;
  readonly #links = new Map<string, Link>();

  constructor(world: World, lifeMs: number) {
    this.#world = world;
    this.#lifeMs = lifeMs;
  }

  /** A new code for `who`. */
  issue(who: string): Sealed {
    const now = this.#world.now();
    for (const [key, link] of this.#links) if (after(link.ends, rememberedMs) <= now) this.#links.delete(key);
    const code = Buffer.from(this.#world.random(24)).toString('hex');
    this.#links.set(sha256(code), { who, issued: now, ends: after(now, this.#lifeMs), usedAt: undefined });
    return new Sealed(code);
  }

  /** False where `who` got one a moment ago. */
  mayIssue(who: string): boolean {
    const now = this.#world.now();
    return ![...this.#links.values()].some((link) => link.who === who && after(link.issued, pauseMs) > now);
  }

  /** What the code is now; changes nothing. */
  look(code: string): LinkState {
    const link = this.#links.get(sha256(code));
    if (link === undefined) return { kind: 'unknown' };
    const { who, usedAt, ends } = link;
    if (usedAt !== undefined) return { kind: 'used', who, at: usedAt };
    return { kind: ends > this.#world.now() ? 'fresh' : 'expired', who };
  }

  /** What the code was; a fresh one is used from now on. */
  use(code: string): LinkState {
    const state = this.look(code);
    const link = this.#links.get(sha256(code));
    if (state.kind === 'fresh' && link !== undefined) link.usedAt = this.#world.now();
    return state;
  }
}
