import type { CopyPlace } from '../plan.ts';
import { formatInstant } from '../../base/time.ts';
import { counted } from './sessions-left.ts';
import type { Drained, Ending, Step } from './step.ts';
import { proofText } from '../reviews/emergency.ts';

/** A step as people read it in a report: what is done, where, to whose login. Never a value. */
export function nameOf(step: Step): string {
  if ('place' in step) return nameOfCopy(step);
  switch (step.do) {
    case 'ask':
      return `log in with the ${step.candidate} value: ${slots(step.logins)}`;
    case 'ask-sessions':
      return `ask who is logged in as ${step.slots.join(', ')}`;
    case 'plan':
      return planName(step);
    case 'move':
      return `journal: ${step.to}`;
    case 'mark':
      return 'note where older sessions end';
    case 'refresh':
      return `tell ${step.name} to read the secret again`;
    case 'replan':
      return `plan again: ${step.why}`;
    case 'follow':
      return `go on from the login of ${step.login.slot}, which the stores hand out`;
    case 'clear':
      return `end older sessions of the new value's user: ${step.endings.map(({ slot }) => slot).join(', ')}`;
    case 'change':
      return `set the new value of ${step.login.slot} at the service`;
    case 'retire':
      return `end the old value at the service: ${ended(step.endings)}${step.endSessions ? ', and its sessions' : ''}`;
    case 'join':
      return `${step.copy.store}/${step.copy.secret} was added to the configuration: it takes part from now on`;
    case 'prove':
      return proofText(step.proof);
    default:
      return nameForPeople(step);
  }
}

function nameForPeople(step: Step): string {
  switch (step.do) {
    case 'unblock':
      return `go on at ${step.back}`;
    case 'review':
      return 'open the review';
    case 'announce':
    case 'alarm':
    case 'warn':
    case 'overdue':
    case 'missed':
    case 'notify':
      return 'notify people';
    case 'retry':
    case 'postpone':
    case 'block':
    case 'rest':
      return step.text;
    default:
      return step.do;
  }
}

function planName(step: Extract<Step, { readonly do: 'plan' }>): string {
  if (step.at === 'published')
    return 'take up what was published past the journal: an earlier value may still be in use';
  if (step.resume !== undefined) return `the journal is gone: go on with ${step.resume}, which is staged`;
  return `plan a new value for ${step.target}${step.emergency ? ', at once' : ''}`;
}

function nameOfCopy(step: Extract<Step, { readonly place: CopyPlace }>): string {
  const address = `${step.place.store}/${step.place.secret}`;
  switch (step.do) {
    case 'stage':
      return `stage the new value in ${address}, where consumers cannot see it`;
    case 'abandon':
      return `forget what ${step.rotation} staged in ${address}`;
    case 'promote':
      return `publish in ${address}`;
    case 'rescue':
      return `publish in ${address} what ${step.rotation} staged, for it logs in`;
    case 'rebase':
      return `go on from what ${address} holds now`;
    case 'retire-copy':
      return `end the old copy in ${address}`;
  }
}

/** Why the old value may end, as a sentence. */
export function drainedText({ over, sessions, endpoints, at }: Drained): string {
  const who =
    sessions === 0
      ? `0 sessions on the old value at ${counted(endpoints, 'endpoint')} at ${formatInstant(at)}`
      : 'the service shows no sessions, so time alone tells';
  return `drained: window over at ${formatInstant(over)}, ${who}`;
}

function ended(endings: readonly Ending[]): string {
  return endings.map(({ slot, keep }) => (keep ? `all of ${slot} but the new one` : slot)).join(', ');
}

function slots(logins: readonly { readonly slot: string }[]): string {
  return [...new Set(logins.map(({ slot }) => slot))].join(', ');
}
