import type { DescribeImagesCommandInput, DescribeImagesCommandOutput } from '@aws-sdk/client-ec2';
import { ec2Error } from './errors.ts';
import { matchesFilters, parseFilters } from './filters.ts';

export interface MachineImage {
  readonly imageId: string;
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly parameter: string;
}

const PARAMETER = '/aws/service/ecs/optimized-ami/amazon-linux-2023';

/** The images that exist here: Amazon Linux 2023, ECS-optimized, one for each architecture. */
export const images: readonly MachineImage[] = [
  {
    imageId: 'ami-0be2740000000086a',
    name: 'al2023-ami-ecs-hvm-2023.0.20261101-kernel-6.1-x86_64',
    architecture: 'x86_64',
    parameter: `${PARAMETER}/recommended/image_id`,
  },
  {
    imageId: 'ami-0be2740000000064a',
    name: 'al2023-ami-ecs-hvm-2023.0.20261101-kernel-6.1-arm64',
    architecture: 'arm64',
    parameter: `${PARAMETER}/arm64/recommended/image_id`,
  },
];

/** By id, or `resolve:ssm:<parameter>` as a launch template may have it. Throws InvalidAMIID.NotFound. */
export function findImage(reference: string): MachineImage {
  const parameter = /^resolve:ssm:([^:]+)/.exec(reference)?.[1];
  const image = images.find((each) =>
    parameter === undefined ? each.imageId === reference : each.parameter === parameter,
  );
  if (image === undefined) {
    throw ec2Error('InvalidAMIID.NotFound', `The image id '[${reference}]' does not exist`);
  }
  return image;
}

export function describeImages(
  input: DescribeImagesCommandInput,
): Omit<DescribeImagesCommandOutput, '$metadata'> {
  const known = [
    'name',
    'architecture',
    'image-id',
    'state',
    'owner-alias',
    'root-device-type',
    'virtualization-type',
  ];
  const filters = parseFilters(input.Filters, known);
  for (const id of input.ImageIds ?? []) findImage(id);
  const wanted = images.filter(
    (image) =>
      ((input.ImageIds ?? []).length === 0 || input.ImageIds?.includes(image.imageId)) &&
      ((input.Owners ?? []).length === 0 || input.Owners?.includes('amazon')) &&
      matchesFilters(filters, {
        name: [image.name],
        architecture: [image.architecture],
        'image-id': [image.imageId],
        state: ['available'],
        'owner-alias': ['amazon'],
        'root-device-type': ['ebs'],
        'virtualization-type': ['hvm'],
      }),
  );
  return {
    Images: wanted.map((image) => ({
      ImageId: image.imageId,
      Name: image.name,
      Architecture: image.architecture,
      CreationDate: '2026-11-01T00:00:00.000Z',
      ImageOwnerAlias: 'amazon',
      ImageType: 'machine',
      PlatformDetails: 'Linux/UNIX',
      Public: true,
      RootDeviceName: '/dev/xvda',
      RootDeviceType: 'ebs',
      State: 'available',
      VirtualizationType: 'hvm',
    })),
  };
}
