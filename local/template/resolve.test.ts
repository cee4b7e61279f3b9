import { expect, test } from 'vitest';
import { parseTemplate } from './parse.ts';
import { createStack, type Provider, type ResourceRequest } from './resolve.ts';

/** Creates resources of type T in memory and remembers the order. */
async function build(text: string, parameters: Record<string, string> = {}) {
  const made: ResourceRequest[] = [];
  const provider: Provider = (request) => {
    made.push(request);
    return { ref: `ref-${request.logicalId}`, attributes: { Arn: `arn-${request.logicalId}` } };
  };
  const stack = await createStack({
    template: parseTemplate(text),
    parameters,
    pseudo: { 'AWS::Region': 'us-east-1' },
    providers: { T: provider },
  });
  return { made, stack, order: made.map((request) => request.logicalId) };
}

test('a resource comes after those it refers to, in every way of referring', async () => {
  const { order, made } = await build(`
Resources:
  A: { Type: T, Properties: { of: [!Ref B, !GetAtt C.Arn, !Sub '\${D}/\${E.Arn}/\${AWS::Region}/\${!kept}'] } }
  B: { Type: T, DependsOn: F }
  C: { Type: T }
  D: { Type: T }
  E: { Type: T }
  F: { Type: T }
`);
  expect(order.at(-1)).toBe('A');
  expect(order.indexOf('F')).toBeLessThan(order.indexOf('B'));
  expect(made.at(-1)?.properties.of).toEqual(['ref-B', 'arn-C', `ref-D/arn-E/us-east-1/$${'{kept}'}`]);
});

test('parameters, defaults, joins and base64 resolve', async () => {
  const text = `
Parameters:
  Given: { Type: String }
  Kept: { Type: Number, Default: 3 }
Resources:
  A:
    Type: T
    Properties:
      joined: !Join ['-', [!Ref Given, !Ref Kept]]
      encoded: { 'Fn::Base64': !Sub 'x=\${Given}' }
Outputs:
  Name: { Value: !GetAtt A.Arn }
`;
  const { made, stack } = await build(text, { Given: 'here' });
  expect(made[0]?.properties).toEqual({
    joined: 'here-3',
    encoded: Buffer.from('x=here').toString('base64'),
  });
  expect(stack.outputs).toEqual({ Name: 'arn-A' });
  await expect(build(text)).rejects.toThrow('The parameter Given has no default and was not given.');
});

test('what the embedded AWS cannot make is an error, not a silence', async () => {
  await expect(build('Resources: { A: { Type: AWS::Quantum::Computer } }')).rejects.toThrow(
    'A: the embedded AWS has no AWS::Quantum::Computer.',
  );
  await expect(build('Resources: { A: { Type: T, Properties: { x: { "Fn::Cidr": [] } } } }')).rejects.toThrow(
    'Fn::Cidr',
  );
  await expect(build('Resources: { A: { Type: T, Properties: { x: !Ref Nobody } } }')).rejects.toThrow(
    '"Nobody"',
  );
  await expect(
    build('Resources: { A: { Type: T, Properties: { x: !GetAtt B.Size } }, B: { Type: T } }'),
  ).rejects.toThrow('B has no attribute Size; it has: Arn.');
});

test('a circle is told by its resources', async () => {
  await expect(
    build(
      'Resources: { A: { Type: T, Properties: { x: !Ref B } }, B: { Type: T, Properties: { x: !Ref A } } }',
    ),
  ).rejects.toThrow('A -> B -> A');
});
