import type { CopyPlace } from './plan.ts';
import type { Step } from './step.ts';

/** A step as people read it in a report: what is done, where, to whose login. Never a value. */
export function nameOf(step: Step): string {
  if ('place' in step) return nameOfCopy(step);
  switch (step.do) {
    case 'ask':
      return `log in with the ${step.candidate} value: ${slots(step)}`;
    case 'ask-sessions':
      return `ask who is logged in as ${step.slots.join(', ')}`;
    case 'plan':
      return `plan a new value for ${step.target}`;
    case 'move':
      return `journal: ${step.to}`;
    case 'replan':
      return `plan again: ${step.why}`;
    case 'clear':
      return `end the leaked value of ${slots(step)} at the service`;
    case 'change':
      return `set the new value of ${step.login.slot} at the service, under its own lock`;
    case 'retire':
      return `end the old value of ${slots(step)} at the service${step.endSessions ? ', and its sessions' : ''}`;
    case 'prove':
      return step.proof === 'refused' ? 'proven: the old value is refused' : 'no copy of the old value is left to try';
    case 'unblock':
      return `go on at ${step.back}`;
    case 'review':
      return 'open the review';
    case 'alarm':
    case 'notify':
      return 'notify people';
    case 'retry':
    case 'block':
    case 'rest':
      return step.text;
  }
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
    case 'rebase':
      return `go on from what ${address} holds now`;
    case 'retire-copy':
      return `end the old copy in ${address}`;
  }
}

function slots({ logins }: { readonly logins: readonly { readonly slot: string }[] }): string {
  return [...new Set(logins.map(({ slot }) => slot))].join(', ');
}
