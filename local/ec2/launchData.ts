import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { ec2Error, missing } from './errors.ts';
import { findImage } from './images.ts';
import { instanceTypes } from './instanceTypes.ts';
import { DEFAULT_SECURITY_GROUP_ID, type Zone, zoneNamed, zoneOfSubnet, zones } from './network.ts';
import type { LaunchSpec, LaunchTemplateRecord, Lifecycle, Tags } from './records.ts';
import { tagsFor } from './tags.ts';

/** Where a launch may go: the subnet or zone it names, else any default subnet. Throws for what does not exist. */
export function zonesFor(subnetId: string | undefined, zoneName: string | undefined): readonly Zone[] {
  if (subnetId !== undefined) {
    const zone = zoneOfSubnet(subnetId);
    if (zone === undefined) {
      throw ec2Error('InvalidSubnetID.NotFound', `The subnet ID '${subnetId}' does not exist`);
    }
    return [zone];
  }
  if (zoneName === undefined) return zones;
  const zone = zoneNamed(zoneName);
  if (zone === undefined) {
    throw ec2Error('InvalidParameterValue', `Invalid availability zone: [${zoneName}]`);
  }
  return [zone];
}

/** Why no instance of this type can be made of this template; undefined when one can. */
export function mismatch(typeName: string, data: RequestLaunchTemplateData): string | undefined {
  const type = instanceTypes.get(typeName);
  if (type === undefined) return `Invalid value '${typeName}' for InstanceType.`;
  if (data.ImageId === undefined) throw missing('ImageId');
  const image = findImage(data.ImageId);
  if (image.architecture === type.architecture) return undefined;
  return `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.`;
}

export interface LaunchChoice {
  readonly instanceType: string;
  readonly zone: Zone;
  readonly lifecycle: Lifecycle;
  readonly tags: Tags;
  readonly clientToken?: string;
}

/** A template's data and a choice of type and zone, put together. */
export function launchSpec(data: RequestLaunchTemplateData, choice: LaunchChoice): LaunchSpec {
  const [network] = data.NetworkInterfaces ?? [];
  const groups = data.SecurityGroupIds ?? network?.Groups ?? [];
  const profile = data.IamInstanceProfile?.Arn ?? data.IamInstanceProfile?.Name;
  const { KeyName: keyName, MetadataOptions: metadataOptions } = data;
  return {
    instanceType: choice.instanceType,
    zone: choice.zone.name,
    subnetId: choice.zone.subnetId,
    lifecycle: choice.lifecycle,
    imageId: findImage(data.ImageId ?? '').imageId,
    userData: Buffer.from(data.UserData ?? '', 'base64').toString('utf8'),
    tags: { ...tagsFor('instance', data.TagSpecifications), ...choice.tags },
    securityGroupIds: groups.length > 0 ? groups : [DEFAULT_SECURITY_GROUP_ID],
    ...(profile === undefined ? {} : { instanceProfile: profile }),
    ...(keyName === undefined ? {} : { keyName }),
    ...(metadataOptions === undefined ? {} : { metadataOptions }),
    ...(choice.clientToken === undefined ? {} : { clientToken: choice.clientToken }),
  };
}

/** The tags EC2 itself puts on what was launched from a template. */
export const templateTags = (record: LaunchTemplateRecord, version: number): Tags => ({
  'aws:ec2launchtemplate:id': record.id,
  'aws:ec2launchtemplate:version': String(version),
});
