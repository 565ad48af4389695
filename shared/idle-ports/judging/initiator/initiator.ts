import type { Instant } from '../../../base/time.ts';
import type { UsageRow } from '../../../usage/evidence.ts';
import { conversations, mergeTallies, tcp, udp, type Conversation, type Tally } from './conversations.ts';
import { ephemeral, type Ports } from './ports.ts';
import { isReply } from './replies.ts';
import { surroundings, type Surroundings } from './surroundings.ts';
import { answeredWithoutFlags, carriesPayload, isLastingSession, isMoreThanResets } from './sizes.ts';

/**
 * Why packets count as use of a local port: somebody came in and was answered; a session older than the log goes on;
 * packets came in and needed no answer; who began cannot be known; the log never shows what went out.
 */
export type UseKind = 'answered' | 'long-session' | 'one-way' | 'direction-unclear' | 'outbound-not-logged';

/** Inbound packets that only an opening can have let in. */
export interface Use {
  readonly interface: string;
  readonly protocol: number;
  /** The local port is one of these; 0 where the protocol has none. */
  readonly low: number;
  readonly high: number;
  readonly peer: string | undefined;
  readonly kind: UseKind;
  /** Last time somebody new came in; undefined where only older sessions were seen. */
  readonly lastNew: Instant | undefined;
  readonly seen: Tally;
}

/** Attempts that an opening let in and nobody answered. */
export interface Knock {
  readonly interface: string;
  readonly protocol: number;
  readonly low: number;
  readonly high: number;
  readonly peer: string | undefined;
  readonly seen: Tally;
}

export interface Traffic {
  readonly uses: readonly Use[];
  readonly knocks: readonly Knock[];
}

/** The rows of one flow log, and whether its format has TCP flags; undefined: not known. */
export interface LogRows {
  readonly rows: readonly UsageRow[];
  readonly hasFlags: boolean | undefined;
}

/** Who began each conversation of several logs. Nothing is left out without proof; every doubt is a use. */
export function whoBegan(logs: readonly LogRows[], ports: Ports): Traffic {
  const about = surroundings(
    logs.flatMap(({ rows }) => rows),
    ports,
  );
  const all = logs.flatMap(({ rows, hasFlags }) => {
    const flagged = placesWithFlags(rows, hasFlags);
    const found = conversations(rows);
    const shared = { about, isOutboundLogged: isOutboundLogged(rows), sessions: sessionsByPeerPort(found) };
    return found.map((one) => resolve(one, { ...shared, hasFlags: flagged(one.interface) }));
  });
  return together(all);
}

/** Packets that only our own side sends, in this very log: a SYN-ACK, a reset, anything else that went out. */
function isOutboundLogged(rows: readonly UsageRow[]): boolean {
  return rows.some(({ kind }) => kind === 'answered' || kind === 'refused' || kind === 'out');
}

function together(all: readonly Traffic[]): Traffic {
  return { uses: all.flatMap(({ uses }) => uses), knocks: all.flatMap(({ knocks }) => knocks) };
}

const nothing: Traffic = { uses: [], knocks: [] };

interface Context {
  readonly about: Surroundings;
  readonly hasFlags: boolean;
  readonly isOutboundLogged: boolean;
  /** Conversations that a peer is known to have begun, by peer. */
  readonly sessions: ReadonlyMap<string, readonly Conversation[]>;
}

/** A log without flags is known by its format, or by never showing one anywhere. */
function placesWithFlags(rows: readonly UsageRow[], hasFlags: boolean | undefined): (interfaceId: string) => boolean {
  const flagged = new Set(
    rows
      .filter(({ kind }) => kind.startsWith('opened') || kind === 'answered' || kind === 'refused')
      .map((row) => row.interface),
  );
  const elsewhere = hasFlags ?? flagged.size > 0;
  return (interfaceId) => elsewhere || flagged.has(interfaceId);
}

function sessionsByPeerPort(all: readonly Conversation[]): ReadonlyMap<string, readonly Conversation[]> {
  const sessions = new Map<string, Conversation[]>();
  for (const one of all) {
    if (!one.kinds['opened-in'] && !one.kinds.answered) continue;
    const key = placeOf(one);
    const held = sessions.get(key);
    if (held) held.push(one);
    else sessions.set(key, [one]);
  }
  return sessions;
}

function placeOf({ interface: place, protocol, peer }: Conversation): string {
  return [place, protocol, peer].join(' ');
}

function resolve(conversation: Conversation, context: Context): Traffic {
  const begun = resolveBegun(conversation, context);
  const { in: inbound } = conversation.kinds;
  if (!inbound || isReply(conversation, context.about, context.hasFlags)) return begun;
  const running =
    conversation.protocol === tcp ? resolveTcp(conversation, inbound, context) : resolveOther(conversation, inbound);
  return together([begun, running]);
}

/** What flags tell: SYN in is the peer's beginning, SYN-ACK out says that the port is served. */
function resolveBegun(conversation: Conversation, context: Context): Traffic {
  const { 'opened-in': opened, answered, refused } = conversation.kinds;
  if (answered) {
    const isLater = opened?.lastInWindow !== undefined && answered.lastInWindow === undefined;
    const seen = isLater ? answered : mergeTallies([answered, opened]);
    const uses = seen ? [use(conversation, 'answered', { seen, lastNew: answered.last })] : [];
    return together([{ uses, knocks: [] }, isLater ? resolveKnock(conversation, opened, context) : nothing]);
  }
  if (!opened) return refused ? resolveKnock(conversation, refused, context) : nothing;
  if (carriesPayload(opened, conversation.peer)) return oneUse(conversation, opened, 'answered');
  if (!context.isOutboundLogged) return oneUse(conversation, opened, 'outbound-not-logged');
  return resolveKnock(conversation, opened, context);
}

/** A knock, unless something was said to that peer: a row has the flags of every packet in it, and anybody may add one. */
function resolveKnock(conversation: Conversation, seen: Tally, { about }: Context): Traffic {
  if (isSpokenTo(conversation, seen, about)) return oneUse(conversation, seen, 'long-session');
  return { uses: [], knocks: [knock(conversation, seen)] };
}

/** True where more than resets went out in the window: to this peer, or to some beyond the cap of whom he may be one. */
function isSpokenTo(conversation: Conversation, seen: Tally, about: Surroundings): boolean {
  const { out, refused } = conversation.kinds;
  const folded = conversation.port >= ephemeral ? about.foldedOut(conversation, seen) : [];
  const more = refused && isMoreThanResets(refused, conversation.peer) ? refused : undefined;
  return [out, more, about.othersOut(conversation), ...folded].some((said) => said?.lastInWindow !== undefined);
}

/** TCP rows that do not tell who began, and that answer nothing of ours. */
function resolveTcp(conversation: Conversation, inbound: Tally, context: Context): Traffic {
  const { out, refused } = conversation.kinds;
  const opened = conversation.kinds['opened-in'] ?? conversation.kinds.answered;
  if (!context.hasFlags) return resolveWithoutFlags(conversation, inbound, context);
  const isSilent = !out && !isSpokenTo(conversation, inbound, context.about);
  const isSmallAndAlone = isSilent && !carriesPayload(inbound, conversation.peer) && context.isOutboundLogged;
  if (conversation.isFolded) return resolveFolded(conversation, inbound, { context, isSmallAndAlone });
  if (isSmallAndAlone && !conversation.kinds.answered && (opened || refused))
    return { uses: [], knocks: [knock(conversation, inbound)] };
  return oneUse(conversation, inbound, !opened && inbound.portLow >= ephemeral ? 'direction-unclear' : 'long-session');
}

function resolveWithoutFlags(conversation: Conversation, inbound: Tally, context: Context): Traffic {
  const { out = context.about.othersOut(conversation) } = conversation.kinds;
  const isHigh = conversation.isFolded || inbound.portLow >= ephemeral;
  if (answeredWithoutFlags(inbound, out, conversation.peer) || isLastingSession(inbound, out))
    return oneUse(conversation, inbound, isHigh ? 'direction-unclear' : 'answered');
  if (!context.isOutboundLogged) return oneUse(conversation, inbound, 'outbound-not-logged');
  return { uses: [], knocks: [knock(conversation, inbound)] };
}

/**
 * Later rows of a session whose beginning was seen belong to it; else nobody knows which side is the server. Of several
 * local ports in one row, those between the lowest and the highest are not known.
 */
function resolveFolded(
  conversation: Conversation,
  inbound: Tally,
  { context, isSmallAndAlone }: { readonly context: Context; readonly isSmallAndAlone: boolean },
): Traffic {
  const mine = (context.sessions.get(placeOf(conversation)) ?? []).filter((session) => belongs(inbound, session));
  if (mine.length === 0 || inbound.portLow !== inbound.portHigh)
    return oneUse(conversation, inbound, 'direction-unclear');
  const served = mine.filter(({ kinds }) => kinds.answered);
  if (served.length === 0 && isSmallAndAlone) return { uses: [], knocks: [knock(conversation, inbound)] };
  const of = served.length > 0 ? served : mine;
  return {
    uses: of.map(({ port }) => ({
      ...use(conversation, 'long-session', { seen: inbound, lastNew: undefined }),
      low: port,
      high: port,
    })),
    knocks: [],
  };
}

function belongs(inbound: Tally, { kinds, port }: Conversation): boolean {
  const began = mergeTallies([kinds['opened-in'], kinds.answered]);
  const hasPort = inbound.portLow <= port && port <= inbound.portHigh;
  return (
    began !== undefined &&
    hasPort &&
    began.peerPortLow <= inbound.peerPortLow &&
    inbound.peerPortHigh <= began.peerPortHigh
  );
}

/** UDP needs no answer, and other protocols have no ports: what came in was let in. */
function resolveOther(conversation: Conversation, inbound: Tally): Traffic {
  const isUnclear =
    conversation.protocol === udp &&
    (inbound.portLow !== inbound.portHigh || (conversation.isFolded && conversation.kinds.out !== undefined));
  return oneUse(
    conversation,
    inbound,
    isUnclear ? 'direction-unclear' : conversation.kinds.out ? 'answered' : 'one-way',
  );
}

function oneUse(conversation: Conversation, seen: Tally, kind: UseKind): Traffic {
  const isOld = kind === 'long-session' || kind === 'direction-unclear';
  return { uses: [use(conversation, kind, { seen, lastNew: isOld ? undefined : seen.last })], knocks: [] };
}

function use(
  conversation: Conversation,
  kind: UseKind,
  { seen, lastNew }: { readonly seen: Tally; readonly lastNew: Instant | undefined },
): Use {
  const { interface: place, protocol, peer } = conversation;
  return { interface: place, protocol, low: seen.portLow, high: seen.portHigh, peer, kind, lastNew, seen };
}

function knock({ interface: place, protocol, peer }: Conversation, seen: Tally): Knock {
  return { interface: place, protocol, low: seen.portLow, high: seen.portHigh, peer, seen };
}
