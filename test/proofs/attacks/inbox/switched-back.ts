import type { SwitchedBack } from '../attack.ts';

export const switchedBack: readonly SwitchedBack[] = [];
