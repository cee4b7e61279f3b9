import type {
  CreateScheduleGroupCommandInput,
  CreateScheduleGroupOutput,
  DeleteScheduleGroupCommandInput,
  GetScheduleGroupCommandInput,
  GetScheduleGroupOutput,
  ListScheduleGroupsCommandInput,
  ListScheduleGroupsOutput,
} from '@aws-sdk/client-scheduler';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { pageByName } from '../events/page.ts';
import { invalid } from './schedule.ts';
import type { Timetable } from './timetable.ts';

interface StoredGroup {
  readonly name: string;
  readonly createdAtMs: number;
}

export const DEFAULT_GROUP = 'default';

/** Schedule groups: names for sets of schedules, which go with their group. */
export class Groups {
  private readonly context: EngineContext;
  private readonly timetable: Timetable;
  private readonly groups: Collection<StoredGroup>;

  constructor(context: EngineContext, timetable: Timetable) {
    this.context = context;
    this.timetable = timetable;
    this.groups = context.state.collection('scheduler.groups');
    const byDefault: StoredGroup = { name: DEFAULT_GROUP, createdAtMs: context.clock.now() };
    if (this.groups.get(DEFAULT_GROUP) === undefined) this.groups.set(DEFAULT_GROUP, byDefault);
  }

  get(name: string | undefined): StoredGroup {
    const group = this.groups.get(name ?? '');
    if (group !== undefined) return group;
    throw new ServiceError(
      'ResourceNotFoundException',
      `Schedule group ${String(name)} does not exist.`,
      404,
    );
  }

  operations() {
    return {
      CreateScheduleGroup: ({ Name = '' }: CreateScheduleGroupCommandInput): CreateScheduleGroupOutput => {
        if (!/^[\w.-]{1,64}$/.test(Name))
          throw invalid(`The name of the schedule group is not valid: ${Name}`);
        if (this.groups.get(Name) !== undefined) {
          throw new ServiceError('ConflictException', `Schedule group ${Name} already exists.`, 409);
        }
        this.groups.set(Name, { name: Name, createdAtMs: this.context.clock.now() });
        return { ScheduleGroupArn: this.arn(Name) };
      },
      GetScheduleGroup: ({ Name }: GetScheduleGroupCommandInput): GetScheduleGroupOutput =>
        this.show(this.get(Name)),
      DeleteScheduleGroup: ({ Name }: DeleteScheduleGroupCommandInput): void => {
        const { name } = this.get(Name);
        if (name === DEFAULT_GROUP) throw invalid('The default schedule group cannot be deleted.');
        for (const { arn, group } of this.timetable.all()) if (group === name) this.timetable.remove(arn);
        this.groups.delete(name);
      },
      ListScheduleGroups: (input: ListScheduleGroupsCommandInput): ListScheduleGroupsOutput => {
        const chosen = [...this.groups.values()].filter(({ name }) =>
          name.startsWith(input.NamePrefix ?? ''),
        );
        const { page, nextToken } = pageByName(chosen, ({ name }) => name, input.MaxResults, input.NextToken);
        return { ScheduleGroups: page.map((group) => this.show(group)), NextToken: nextToken };
      },
    };
  }

  private arn(name: string): string {
    return `arn:aws:scheduler:${this.context.region}:${this.context.accountId}:schedule-group/${name}`;
  }

  private show({ name, createdAtMs }: StoredGroup) {
    const created = new Date(createdAtMs);
    return {
      Arn: this.arn(name),
      Name: name,
      State: 'ACTIVE' as const,
      CreationDate: created,
      LastModificationDate: created,
    };
  }
}
