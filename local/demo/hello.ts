/** The demo's task definition: one container of busybox that says hello and works for two seconds. */
export const helloDefinition = {
  family: 'hello',
  networkMode: 'bridge',
  requiresCompatibilities: ['EC2'],
  containerDefinitions: [
    {
      name: 'main',
      image: 'berth/demo:latest',
      cpu: 256,
      memory: 64,
      essential: true,
      command: ['sh', '-c', 'echo "hello from $BERTH_TASK_ID"; sleep 2'],
    },
  ],
};

/** The sample event, under a key of its own so that every start runs it once. */
export const helloRequest = (idempotencyKey: string) => ({
  cluster: 'demo',
  taskDefinition: 'hello',
  idempotencyKey,
  isolation: { qos: 'burstable', cpu: { limitUnits: 512 }, memory: { maxMiB: 48 }, pids: { max: 64 } },
  tags: { from: 'demo' },
});

export const HELLO_SOURCE = 'berth.demo';
