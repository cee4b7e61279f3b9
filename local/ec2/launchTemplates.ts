import type {
  CreateLaunchTemplateCommandInput,
  CreateLaunchTemplateCommandOutput,
  CreateLaunchTemplateVersionCommandInput,
  CreateLaunchTemplateVersionCommandOutput,
  DeleteLaunchTemplateCommandInput,
  DeleteLaunchTemplateCommandOutput,
  DescribeLaunchTemplatesCommandInput,
  DescribeLaunchTemplatesCommandOutput,
  DescribeLaunchTemplateVersionsCommandInput,
  DescribeLaunchTemplateVersionsCommandOutput,
  LaunchTemplate,
  LaunchTemplateVersion,
  ModifyLaunchTemplateCommandInput,
  ModifyLaunchTemplateCommandOutput,
} from '@aws-sdk/client-ec2';
import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { ec2Error, missing } from './errors.ts';
import { matchesFilters, parseFilters, tagFields } from './filters.ts';
import { offsetPage } from './pages.ts';
import type { LaunchTemplateRecord } from './records.ts';
import { tagList, tagsFor } from './tags.ts';

type Output<T> = Omit<T, '$metadata'>;
type Version = LaunchTemplateRecord['versions'][number];

/** How a request names a template. */
export interface TemplateReference {
  readonly LaunchTemplateId?: string | undefined;
  readonly LaunchTemplateName?: string | undefined;
}

export class LaunchTemplates {
  private readonly context: EngineContext;
  readonly records: Collection<LaunchTemplateRecord>;
  private readonly idsByName = new Map<string, string>();

  constructor(context: EngineContext) {
    this.context = context;
    this.records = context.state.collection('ec2.launchTemplates');
    for (const { id, name } of this.records.values()) this.idsByName.set(name, id);
  }

  create(input: CreateLaunchTemplateCommandInput): Output<CreateLaunchTemplateCommandOutput> {
    const name = input.LaunchTemplateName ?? '';
    if (!/^[A-Za-z0-9()./_-]{3,128}$/.test(name)) {
      throw ec2Error(
        'InvalidLaunchTemplateName.MalformedException',
        `Invalid launch template name '${name}'.`,
      );
    }
    if (this.idsByName.has(name)) {
      throw ec2Error(
        'InvalidLaunchTemplateName.AlreadyExistsException',
        'Launch template name already in use.',
      );
    }
    if (input.LaunchTemplateData === undefined) throw missing('LaunchTemplateData');
    const now = this.context.clock.now();
    const record: LaunchTemplateRecord = {
      id: `lt-0${this.context.hex(16)}`,
      name,
      createdAt: now,
      defaultVersion: 1,
      versions: [version(1, now, input.LaunchTemplateData, input.VersionDescription)],
      tags: tagsFor('launch-template', input.TagSpecifications),
    };
    this.records.set(record.id, record);
    this.idsByName.set(name, record.id);
    return { LaunchTemplate: describe(record, this.context.accountId) };
  }

  createVersion(
    input: CreateLaunchTemplateVersionCommandInput,
  ): Output<CreateLaunchTemplateVersionCommandOutput> {
    const record = this.find(input);
    if (input.LaunchTemplateData === undefined) throw missing('LaunchTemplateData');
    const base = input.SourceVersion === undefined ? {} : this.versionOf(record, input.SourceVersion).data;
    const number = Math.max(...record.versions.map((each) => each.version)) + 1;
    const data = { ...base, ...input.LaunchTemplateData };
    const added = version(number, this.context.clock.now(), data, input.VersionDescription);
    this.records.set(record.id, { ...record, versions: [...record.versions, added] });
    return { LaunchTemplateVersion: describeVersion(record, added, this.context.accountId) };
  }

  modify(input: ModifyLaunchTemplateCommandInput): Output<ModifyLaunchTemplateCommandOutput> {
    const record = this.find(input);
    if (input.DefaultVersion === undefined) throw missing('DefaultVersion');
    const changed = { ...record, defaultVersion: this.versionOf(record, input.DefaultVersion).version };
    this.records.set(record.id, changed);
    return { LaunchTemplate: describe(changed, this.context.accountId) };
  }

  delete(input: DeleteLaunchTemplateCommandInput): Output<DeleteLaunchTemplateCommandOutput> {
    const record = this.find(input);
    this.records.delete(record.id);
    this.idsByName.delete(record.name);
    return { LaunchTemplate: describe(record, this.context.accountId) };
  }

  describe(input: DescribeLaunchTemplatesCommandInput): Output<DescribeLaunchTemplatesCommandOutput> {
    const filters = parseFilters(input.Filters, ['launch-template-name', 'create-time', 'tag-key']);
    const named = [
      ...(input.LaunchTemplateIds ?? []).map((id) => this.find({ LaunchTemplateId: id })),
      ...(input.LaunchTemplateNames ?? []).map((name) => this.find({ LaunchTemplateName: name })),
    ];
    const all = named.length > 0 ? named : [...this.records.values()];
    const found = all.filter((record) =>
      matchesFilters(filters, {
        'launch-template-name': [record.name],
        'create-time': [new Date(record.createdAt).toISOString()],
        ...tagFields(record.tags),
      }),
    );
    const page = offsetPage(found, input, 200);
    return {
      LaunchTemplates: page.items.map((record) => describe(record, this.context.accountId)),
      NextToken: page.nextToken,
    };
  }

  describeVersions(
    input: DescribeLaunchTemplateVersionsCommandInput,
  ): Output<DescribeLaunchTemplateVersionsCommandOutput> {
    const records =
      input.LaunchTemplateId === undefined && input.LaunchTemplateName === undefined
        ? [...this.records.values()]
        : [this.find(input)];
    const versions = records.flatMap((record) => {
      const wanted =
        (input.Versions ?? []).length === 0
          ? record.versions
          : (input.Versions ?? []).map((name) => this.versionOf(record, name));
      return wanted.map((each) => describeVersion(record, each, this.context.accountId));
    });
    const page = offsetPage(versions, input, 200);
    return { LaunchTemplateVersions: [...page.items], NextToken: page.nextToken };
  }

  /** Throws InvalidLaunchTemplateId.NotFound or InvalidLaunchTemplateName.NotFoundException. */
  find(reference: TemplateReference): LaunchTemplateRecord {
    const { LaunchTemplateId: id, LaunchTemplateName: name } = reference;
    if (id === undefined && name === undefined) throw missing('LaunchTemplateId');
    const record = this.records.get(id ?? this.idsByName.get(name ?? '') ?? '');
    if (record !== undefined) return record;
    throw id === undefined
      ? ec2Error(
          'InvalidLaunchTemplateName.NotFoundException',
          `The specified launch template, with template name ${name}, does not exist.`,
        )
      : ec2Error(
          'InvalidLaunchTemplateId.NotFound',
          `The specified launch template, with template ID ${id}, does not exist.`,
        );
  }

  /** `$Latest`, `$Default` (also when nothing is named) or a number. */
  versionOf(record: LaunchTemplateRecord, name: string | undefined): Version {
    const wanted = name === undefined || name === '$Default' ? record.defaultVersion : Number(name);
    const found =
      name === '$Latest' ? record.versions.at(-1) : record.versions.find((each) => each.version === wanted);
    if (found === undefined) {
      throw ec2Error(
        'InvalidLaunchTemplateId.VersionNotFound',
        `Could not find the specified version ${name} for the launch template with ID ${record.id}.`,
      );
    }
    return found;
  }
}

const version = (
  number: number,
  createdAt: number,
  data: Version['data'],
  description: string | undefined,
): Version => ({
  version: number,
  createdAt,
  data,
  ...(description === undefined ? {} : { description }),
});

const describe = (record: LaunchTemplateRecord, accountId: string): LaunchTemplate => ({
  LaunchTemplateId: record.id,
  LaunchTemplateName: record.name,
  CreateTime: new Date(record.createdAt),
  CreatedBy: `arn:aws:iam::${accountId}:root`,
  DefaultVersionNumber: record.defaultVersion,
  LatestVersionNumber: record.versions.at(-1)?.version ?? 1,
  Tags: tagList(record.tags),
});

const describeVersion = (
  record: LaunchTemplateRecord,
  each: Version,
  accountId: string,
): LaunchTemplateVersion => ({
  LaunchTemplateId: record.id,
  LaunchTemplateName: record.name,
  VersionNumber: each.version,
  ...(each.description === undefined ? {} : { VersionDescription: each.description }),
  CreateTime: new Date(each.createdAt),
  CreatedBy: `arn:aws:iam::${accountId}:root`,
  DefaultVersion: each.version === record.defaultVersion,
  // The request's and the response's shape of a template differ in names of types only.
  LaunchTemplateData: each.data as NonNullable<LaunchTemplateVersion['LaunchTemplateData']>,
});
