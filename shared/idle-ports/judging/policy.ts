import { hour } from '../../base/time.ts';

/** What a verdict may rest on. Every number that a person may want to argue about is here and nowhere else. */
export interface IdlePolicy {
  /** Least share of the window, 0–1, that the logs must have seen on every interface before silence means anything. */
  readonly minCoverage: number;
  /** Hours of the window with lost records (SKIPDATA) that one interface may have. */
  readonly toleratedLostHours: number;
  /** How long before the end of the window the log may stop, in milliseconds: rows arrive late. */
  readonly settleMs: number;
  /** The window must be this many times the longest gap between active days that history shows. */
  readonly periodFactor: number;
  /** Gaps that must have been seen before they count as a rhythm. */
  readonly minPeriodGaps: number;
  /** CIDRs of port scanners: what they touch is a knock, answered or not. */
  readonly scanners: readonly string[];
}

/** The policy of a user who said nothing. */
export const defaultIdlePolicy: IdlePolicy = {
  minCoverage: 0.99,
  toleratedLostHours: 0,
  settleMs: hour,
  periodFactor: 2,
  minPeriodGaps: 3,
  scanners: [],
};
