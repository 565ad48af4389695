import type { Host, HostTerminal } from './terminal.ts';

/** What the commands are built on. */
export interface Frame {
  readonly host: Host;
  /** With `--output json`: what the words were wrong about is told by the caller, not here. */
  readonly json: boolean;
  /** Made at its first use; the same ever after. */
  readonly terminal: () => Promise<HostTerminal>;
  /** Called once by the verb that ran, with its exit code. */
  readonly finish: (code: number) => void;
}
