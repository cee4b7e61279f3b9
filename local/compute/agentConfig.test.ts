import { describe, expect, it } from 'vitest';
import { parseAgentConfig } from './agentConfig.ts';

describe('parseAgentConfig', () => {
  it('reads what launch templates write', () => {
    const userData = `#!/bin/bash
# ECS_CLUSTER=commented
cat <<'EOF' >> /etc/ecs/ecs.config
ECS_CLUSTER=blue
ECS_INSTANCE_ATTRIBUTES={"berth.pool":"spot","n":1}
ECS_RESERVED_MEMORY=256
ECS_RESERVED_PORTS=[22, 9100]
ECS_ENABLE_SPOT_INSTANCE_DRAINING=true
ECS_CONTAINER_INSTANCE_TAGS={"team":"a b"}
EOF
`;
    expect(parseAgentConfig(userData)).toEqual({
      cluster: 'blue',
      attributes: { 'berth.pool': 'spot', n: '1' },
      tags: { team: 'a b' },
      reservedMemoryMiB: 256,
      reservedPorts: [22, 9100],
      drainsOnSpotWarning: true,
    });
  });

  it.each([
    ['echo ECS_CLUSTER=red >> /etc/ecs/ecs.config', 'red'],
    ['echo "ECS_CLUSTER=red" >> /etc/ecs/ecs.config', 'red'],
    ["echo 'ECS_CLUSTER=red'>>/etc/ecs/ecs.config", 'red'],
    ['ECS_CLUSTER="red"', 'red'],
    ['ECS_CLUSTER=red\nECS_CLUSTER=green', 'green'],
    ['ECS_CLUSTER=', 'default'],
    ['', 'default'],
    ['MY_ECS_CLUSTER=red', 'default'],
  ])('%j names cluster %s', (userData, cluster) => {
    expect(parseAgentConfig(userData).cluster).toBe(cluster);
  });

  it('takes attributes out of a quoted echo, and none out of what is no JSON', () => {
    const quoted = 'echo ECS_INSTANCE_ATTRIBUTES=\'{"a": "b"}\' >> /etc/ecs/ecs.config';
    expect(parseAgentConfig(quoted).attributes).toEqual({ a: 'b' });
    const escaped = 'echo "ECS_INSTANCE_ATTRIBUTES={\\"a\\":\\"b\\"}" >> /etc/ecs/ecs.config';
    expect(parseAgentConfig(escaped).attributes).toEqual({ a: 'b' });
    expect(parseAgentConfig('ECS_INSTANCE_ATTRIBUTES={broken').attributes).toEqual({});
  });
});
