import { together, type Found } from './finding.ts';
import type { Facts } from './facts.ts';
import { journalFindings } from './journal-findings.ts';
import { questionsOf } from './questions.ts';
import { serviceFindings } from './service-findings.ts';
import { storeFindings } from './store-findings.ts';

/**
 * Every way in which journal, stores and service differ, given what a check saw. Pure. Only what is surely wrong is a
 * finding: what a rotation under way or a store that settles explains is none, and what could not be looked into is
 * said to be unchecked.
 *
 * | journal says    | stores                                  | service                                                    |
 * |-----------------|-----------------------------------------|------------------------------------------------------------|
 * | none            | hold a login, the same, nothing staged  | ready; what is handed out logs in                          |
 * | done            | hand out what was published, no version | the same; the idle user has no session, values that were   |
 * |                 | that was ended, nothing staged          | ended are refused, as many values as are handed out        |
 * | under way       | hand out what was published before or   | what is handed out logs in, unless the one value changes   |
 * |                 | by it; staged is only its own value     | just now                                                   |
 * | emergency       | the same                                | ready; whatever it is about is its own concern             |
 */
export function findings(facts: Facts): Found {
  return together([journalFindings(facts), storeFindings(facts), serviceFindings(facts, questionsOf(facts))]);
}
