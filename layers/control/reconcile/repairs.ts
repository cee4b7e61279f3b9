/** What one round found amiss and mended; all zero when every event arrived. */
export interface Repairs {
  hostsLost: number;
  hostsRegistered: number;
  hostsCordoned: number;
  hostsOverdue: number;
  hostsSilent: number;
  hostsFenced: number;
  orphanInstances: number;
  registrationsDropped: number;
  claimsReleased: number;
  attemptsSettled: number;
  attemptsRecorded: number;
  relaunches: number;
  straysStopped: number;
  timeouts: number;
  dependentsReleased: number;
  /** Accepted, and neither placed nor queued by the pass that was to. */
  tasksQueued: number;
  ledgerErrors: number;
}

export const noRepairs = (): Repairs => ({
  hostsLost: 0,
  hostsRegistered: 0,
  hostsCordoned: 0,
  hostsOverdue: 0,
  hostsSilent: 0,
  hostsFenced: 0,
  orphanInstances: 0,
  registrationsDropped: 0,
  claimsReleased: 0,
  attemptsSettled: 0,
  attemptsRecorded: 0,
  relaunches: 0,
  straysStopped: 0,
  timeouts: 0,
  dependentsReleased: 0,
  tasksQueued: 0,
  ledgerErrors: 0,
});
