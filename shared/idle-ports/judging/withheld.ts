import { withhold, withheldPlaces, withholdText } from '../../audit/entries/withhold.ts';
import { asPlain } from '../../base/canonical.ts';
import type { FirewallState, Interface, Opening, Source } from '../../firewalls/contract.ts';

/**
 * A firewall as it may be judged, shown and kept for ever: in what people wrote freely, descriptions, tags and notes, a
 * text that looks like a secret is replaced by a mark. Names and ids by which things are told apart stay, and so does
 * each rule's fingerprint, which is that of the exact rule; to put a rule back takes what `prepare` gave.
 */
export function withholdFrom(state: FirewallState): FirewallState {
  return { ...state, openings: state.openings.map(ofOpening), interfaces: state.interfaces.map(ofInterface) };
}

/** Where something is withheld in an opening; empty where nothing is. */
export function withheldIn({ description, managedBy, rule }: Opening): readonly string[] {
  return withheldPlaces(asPlain({ description, managedBy, rule }));
}

function ofOpening(opening: Opening): Opening {
  const { description, managedBy, rule, sources } = opening;
  return {
    ...opening,
    description: withholdText(description),
    managedBy: managedBy === undefined ? undefined : withholdText(managedBy),
    rule: withhold(rule),
    sources: sources.map(ofSource),
  };
}

function ofSource(source: Source): Source {
  return source.kind === 'unknown' ? { ...source, why: withholdText(source.why) } : source;
}

function ofInterface(one: Interface): Interface {
  return one.blindSpot === undefined ? one : { ...one, blindSpot: withholdText(one.blindSpot) };
}
