import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StopCause } from '../model/reason.ts';
import { type StoppedContainer, type StoppedTask, stopCauseOf } from './stopCause.ts';

const app = (more: Partial<StoppedContainer> = {}): StoppedContainer => ({
  name: 'app',
  essential: true,
  ...more,
});

const exited = (...containers: StoppedContainer[]): StoppedTask => ({
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
  containers,
});

const failedToStart = (reason: string): StoppedTask => ({
  stopCode: 'TaskFailedToStart',
  stoppedReason: 'Task failed to start',
  containers: [app({ reason })],
});

const cases: readonly [string, StoppedTask, StopCause, number?][] = [
  ['exit code 0', exited(app({ exitCode: 0 })), 'EXIT_ZERO', 0],
  ['another exit code', exited(app({ exitCode: 3 })), 'EXIT_NONZERO', 3],
  ['a kill that nobody explains', exited(app({ exitCode: 137 })), 'EXIT_NONZERO', 137],
  [
    'the OOM killer',
    exited(app({ exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' })),
    'OUT_OF_MEMORY',
    137,
  ],
  ['no exit code of what has run', { ...exited(app()), started: true }, 'UNKNOWN'],
  ['no exit code of what has never run', exited(app()), 'LAUNCH_FAILED'],
  [
    'a missing image',
    failedToStart('CannotPullContainerError: manifest for hello:9 not found'),
    'IMAGE_PULL',
  ],
  [
    'a missing command',
    failedToStart('CannotStartContainerError: exec: "nope": executable file not found in $PATH'),
    'EXIT_NONZERO',
    127,
  ],
  [
    'a command that may not be run',
    failedToStart('CannotStartContainerError: runc create failed: exec: "/app": permission denied'),
    'EXIT_NONZERO',
    126,
  ],
  [
    'a device of the host that is not there',
    failedToStart('CannotStartContainerError: error mounting "/dev/x": no such file or directory'),
    'LAUNCH_FAILED',
  ],
  [
    'a timeout of the container engine',
    failedToStart('DockerTimeoutError: Could not transition to created'),
    'LAUNCH_FAILED',
  ],
  [
    'a terminated host',
    { stoppedReason: 'Host EC2 (instance i-0abc) terminated.', containers: [app({ exitCode: 137 })] },
    'HOST_LOST',
    137,
  ],
  ['a termination notice', { stopCode: 'TerminationNotice', containers: [app()] }, 'HOST_LOST'],
  [
    'a forced deregistration',
    { stoppedReason: 'Container instance deregistration forced by user.', containers: [] },
    'HOST_LOST',
  ],
  ['Spot', { stopCode: 'SpotInterruption', containers: [app({ exitCode: 143 })] }, 'SPOT_INTERRUPTION', 143],
  [
    'a user, although the container exited well',
    { stopCode: 'UserInitiated', stoppedReason: 'maintenance', containers: [app({ exitCode: 0 })] },
    'STOPPED_BY_USER',
    0,
  ],
  ['nothing that ECS says', { containers: [] }, 'UNKNOWN'],
];

describe('why a task stopped', () => {
  it.each(cases)('%s', (_, task, cause, exitCode) => {
    const stop = stopCauseOf(task);
    expect(stop.cause).toBe(cause);
    expect(stop.exitCode).toBe(exitCode);
    expect(stop.detail).not.toBe('');
  });

  it('is no end when its host was deregistered under it, which leaves its processes as they are', () => {
    const stoppedReason = 'Container instance deregistration forced by user';
    expect(stopCauseOf({ stoppedReason, containers: [app()] }).mayRunOn).toBe(true);
    expect(stopCauseOf({ stoppedReason, stopCode: 'UserInitiated', containers: [] }).mayRunOn).toBe(true);
    expect(stopCauseOf({ stopCode: 'TerminationNotice', containers: [app()] })).not.toHaveProperty(
      'mayRunOn',
    );
  });

  it('is no end when what ran was asked to stop and nobody has seen it stop', () => {
    const stopped = (started: boolean, container: Partial<StoppedContainer>) =>
      stopCauseOf({ stopCode: 'UserInitiated', started, containers: [app(container)] });
    expect(stopped(true, {})).toMatchObject({ cause: 'STOPPED_BY_USER', mayRunOn: true });
    expect(stopped(true, { exitCode: 137 })).not.toHaveProperty('mayRunOn');
    expect(stopped(true, { reason: 'OutOfMemoryError' })).not.toHaveProperty('mayRunOn');
    expect(stopped(false, {})).not.toHaveProperty('mayRunOn');
  });

  it('is decided by the essential containers alone', () => {
    const sidecar = { name: 'sidecar', essential: false, exitCode: 1 };
    expect(stopCauseOf(exited(sidecar, app({ exitCode: 0 })))).toMatchObject({
      cause: 'EXIT_ZERO',
      exitCode: 0,
    });
  });

  it('is not the signal that took a container down with another', () => {
    const other = { name: 'other', essential: true, exitCode: 137 };
    expect(stopCauseOf(exited(other, app({ exitCode: 0 })))).toMatchObject({
      cause: 'EXIT_ZERO',
      exitCode: 0,
    });
    expect(stopCauseOf(exited(other, app({ exitCode: 2 })))).toMatchObject({
      cause: 'EXIT_NONZERO',
      exitCode: 2,
    });
  });

  const container = fc.record(
    {
      name: fc.constantFrom('a', 'b', 'c'),
      essential: fc.boolean(),
      exitCode: fc.constantFrom(0, 1, 126, 127, 137, 143),
      reason: fc.string(),
    },
    { requiredKeys: ['name', 'essential'] },
  );

  it('never calls a success what had no essential container exit with 0', () => {
    fc.assert(
      fc.property(
        fc.array(container, { maxLength: 5 }),
        fc.constantFrom('EssentialContainerExited', 'TaskFailedToStart', undefined),
        (containers, stopCode) => {
          const stop = stopCauseOf({ containers, ...(stopCode === undefined ? {} : { stopCode }) });
          if (stop.cause !== 'EXIT_ZERO') return;
          expect(containers.some((each) => each.essential && each.exitCode === 0)).toBe(true);
        },
      ),
    );
  });

  it('does not depend on the order in which ECS lists the containers', () => {
    fc.assert(
      fc.property(fc.uniqueArray(container, { selector: ({ name }) => name }), (containers) => {
        const { cause } = stopCauseOf(exited(...containers));
        expect(stopCauseOf(exited(...containers.toReversed())).cause).toBe(cause);
      }),
    );
  });
});
