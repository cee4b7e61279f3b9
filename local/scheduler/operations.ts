import type {
  CreateScheduleCommandInput,
  CreateScheduleOutput,
  DeleteScheduleCommandInput,
  FlexibleTimeWindow,
  GetScheduleCommandInput,
  GetScheduleOutput,
  ListSchedulesCommandInput,
  ListSchedulesOutput,
  UpdateScheduleCommandInput,
  UpdateScheduleOutput,
} from '@aws-sdk/client-scheduler';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import { pageByName } from '../events/page.ts';
import { DEFAULT_GROUP, type Groups } from './groups.ts';
import { checkTarget, invalid, type StoredSchedule } from './schedule.ts';
import type { Timetable } from './timetable.ts';

const MINUTE_MS = 60_000;

/** The operations on schedules. */
export function scheduleOperations(context: EngineContext, timetable: Timetable, groups: Groups) {
  const arnOf = (group: string, name: string): string =>
    `arn:aws:scheduler:${context.region}:${context.accountId}:schedule/${group}/${name}`;

  const find = (group = DEFAULT_GROUP, name = ''): StoredSchedule => {
    const schedule = timetable.get(arnOf(group, name));
    if (schedule !== undefined) return schedule;
    throw new ServiceError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
  };

  /** What create and update have in common: an update replaces everything that it does not repeat. */
  const read = (input: CreateScheduleCommandInput | UpdateScheduleCommandInput): StoredSchedule => {
    const {
      Name: name = '',
      GroupName = DEFAULT_GROUP,
      StartDate,
      EndDate,
      Description,
      ClientToken,
    } = input;
    if (!/^[\w.-]{1,64}$/.test(name)) throw invalid(`The name of the schedule is not valid: ${name}`);
    const group = groups.get(GroupName).name;
    const startMs = StartDate === undefined ? undefined : new Date(StartDate).getTime();
    const endMs = EndDate === undefined ? undefined : new Date(EndDate).getTime();
    if (startMs !== undefined && endMs !== undefined && startMs >= endMs) {
      throw invalid('The StartDate must be before the EndDate.');
    }
    const nowMs = context.clock.now();
    return {
      arn: arnOf(group, name),
      group,
      name,
      expression: input.ScheduleExpression ?? '',
      zone: input.ScheduleExpressionTimezone ?? 'UTC',
      state: input.State ?? 'ENABLED',
      target: checkTarget(input.Target),
      windowMs: windowOf(input.FlexibleTimeWindow),
      deleteWhenDone: input.ActionAfterCompletion === 'DELETE',
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
      ...(startMs !== undefined && { startMs }),
      ...(endMs !== undefined && { endMs }),
      ...(Description !== undefined && { description: Description }),
      ...(ClientToken !== undefined && { clientToken: ClientToken }),
    };
  };

  return {
    CreateSchedule(input: CreateScheduleCommandInput): CreateScheduleOutput {
      const schedule = read(input);
      const existing = timetable.get(schedule.arn);
      if (existing === undefined) timetable.put(schedule);
      else if (schedule.clientToken === undefined || schedule.clientToken !== existing.clientToken) {
        throw new ServiceError('ConflictException', `Schedule ${schedule.name} already exists.`, 409);
      }
      return { ScheduleArn: schedule.arn };
    },

    UpdateSchedule(input: UpdateScheduleCommandInput): UpdateScheduleOutput {
      const existing = find(input.GroupName, input.Name);
      const schedule = { ...read(input), createdAtMs: existing.createdAtMs };
      // A one-time schedule that has run does not run again because its description changed.
      const isSameTime = schedule.expression === existing.expression && schedule.zone === existing.zone;
      const hasRun = isSameTime && schedule.expression.startsWith('at(') && existing.lastMs !== undefined;
      timetable.put({ ...schedule, ...(hasRun && { lastMs: existing.lastMs }) });
      return { ScheduleArn: schedule.arn };
    },

    DeleteSchedule({ GroupName, Name }: DeleteScheduleCommandInput): void {
      timetable.remove(find(GroupName, Name).arn);
    },

    GetSchedule({ GroupName, Name }: GetScheduleCommandInput): GetScheduleOutput {
      return show(find(GroupName, Name));
    },

    ListSchedules(input: ListSchedulesCommandInput): ListSchedulesOutput {
      const { GroupName, NamePrefix = '', State } = input;
      if (GroupName !== undefined) groups.get(GroupName);
      const chosen = timetable
        .all()
        .filter(
          ({ group, name, state }) =>
            (GroupName === undefined || group === GroupName) &&
            (State === undefined || state === State) &&
            name.startsWith(NamePrefix),
        );
      const { page, nextToken } = pageByName(chosen, ({ arn }) => arn, input.MaxResults, input.NextToken);
      const Schedules = page.map((schedule) => ({
        ...summary(schedule),
        Target: { Arn: schedule.target.Arn },
      }));
      return { Schedules, NextToken: nextToken };
    },
  };
}

function windowOf(window: FlexibleTimeWindow | undefined): number {
  const { Mode, MaximumWindowInMinutes: minutes } = window ?? {};
  if (Mode === 'OFF' && minutes === undefined) return 0;
  if (Mode !== 'FLEXIBLE' || minutes === undefined || minutes < 1 || minutes > 1440) {
    throw invalid('FlexibleTimeWindow is OFF, or FLEXIBLE with 1 to 1440 minutes.');
  }
  return minutes * MINUTE_MS;
}

const summary = ({ arn, group, name, state, createdAtMs, modifiedAtMs }: StoredSchedule) => ({
  Arn: arn,
  GroupName: group,
  Name: name,
  State: state,
  CreationDate: new Date(createdAtMs),
  LastModificationDate: new Date(modifiedAtMs),
});

function show(schedule: StoredSchedule): GetScheduleOutput {
  const { startMs, endMs, windowMs } = schedule;
  return {
    ...summary(schedule),
    ScheduleExpression: schedule.expression,
    ScheduleExpressionTimezone: schedule.zone,
    StartDate: startMs === undefined ? undefined : new Date(startMs),
    EndDate: endMs === undefined ? undefined : new Date(endMs),
    Description: schedule.description,
    Target: schedule.target,
    FlexibleTimeWindow:
      windowMs === 0 ? { Mode: 'OFF' } : { Mode: 'FLEXIBLE', MaximumWindowInMinutes: windowMs / MINUTE_MS },
    ActionAfterCompletion: schedule.deleteWhenDone ? 'DELETE' : 'NONE',
  };
}
