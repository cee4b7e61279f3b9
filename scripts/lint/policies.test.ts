import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseTemplate } from '../../local/template/parse.ts';
import { findings } from './policies.ts';

const told = (statement: string): Promise<string[]> =>
  findings(
    parseTemplate(`
Resources:
  Table: { Type: AWS::DynamoDB::Table }
  Cluster: { Type: AWS::ECS::Cluster }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - Statement:
            - { Effect: Allow, ${statement} }
`),
  );

test.each([
  ['Action: dynamodb:GetItem, Resource: !GetAtt Table.Arn', []],
  [`Action: [dynamodb:Query], Resource: [!Sub "\${Table.Arn}/index/byState"]`, []],
  ['Action: ec2:DescribeInstances, Resource: "*"', []],
  [
    'Action: ecs:ListTasks, Resource: "*", Condition: { ArnEquals: { ecs:cluster: !GetAtt Cluster.Arn } }',
    [],
  ],
  ['Action: dynamodb:GetItems, Resource: "*"', ['there is no action dynamodb:GetItems']],
  [
    'Action: ec2:DescribeInstances, Resource: !GetAtt Cluster.Arn',
    ['ec2:DescribeInstances is about no resource: it needs Resource "*"'],
  ],
  [
    'Action: ecs:StopTask, Resource: !GetAtt Cluster.Arn',
    ['ecs:StopTask is about a task, which none of its resources is: arn:aws:ecs:x:x:cluster/x'],
  ],
  [
    'Action: ecs:ListContainerInstances, Resource: "*", Condition: { ArnEquals: { ecs:cluster: !GetAtt Cluster.Arn } }',
    ['ecs:ListContainerInstances knows no condition ecs:cluster: the statement never applies to it'],
  ],
])('%s', async (statement, problems) => {
  expect(await told(statement)).toEqual(problems.map((problem) => `Function: ${problem}`));
});

test('every permission of the template can be granted', async () => {
  expect(await findings(parseTemplate(readFileSync('template.yaml', 'utf8')))).toEqual([]);
});
