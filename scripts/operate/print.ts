type Fields = Readonly<Record<string, unknown>>;

/** Rows as columns, each as wide as its widest cell. */
function table(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const [first] = rows;
  if (!first) return '  none';
  const names = Object.keys(first);
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}

const ageOf = (epochMs: unknown): string => `${((Date.now() - Number(epochMs)) / 1000).toFixed(0)} s`;

function printStatus(answer: Fields): void {
  const pending = answer.pending as { tasks: number; more: boolean; oldestSeconds: number };
  const hosts = answer.hosts as (Fields & {
    left: Record<string, number>;
    capacity: Record<string, number>;
  })[];
  const pools = answer.pools as Fields[];
  console.log(`cluster ${answer.cluster}${answer.paused ? ', paused' : ''}`);
  console.log(
    `pending ${pending.tasks}${pending.more ? ' or more' : ''}${pending.tasks > 0 ? `, the oldest for ${pending.oldestSeconds} s` : ''}; open orders ${answer.openOrders}`,
  );
  console.log('\npools');
  console.log(
    table(
      pools.map((pool) => ({
        pool: String(pool.pool),
        hosts: Number(pool.hosts),
        target: Number(pool.desiredHosts),
        min: Number(pool.minHosts),
        max: Number(pool.maxHosts),
        'USD/h': Number(pool.usdPerHour).toFixed(4),
      })),
    ),
  );
  console.log('\nhosts');
  console.log(
    table(
      hosts.map((host) => ({
        host: String(host.hostId),
        type: String(host.instanceType),
        zone: String(host.zone),
        buy: String(host.lifecycle),
        state: String(host.state),
        tasks: Number(host.tasks),
        'cpu left': `${host.left.cpu ?? 0}/${host.capacity.cpu ?? 0}`,
        'MiB left': `${host.left.memory ?? 0}/${host.capacity.memory ?? 0}`,
      })),
    ),
  );
}

function printList(answer: Fields): void {
  const tasks = answer.tasks as (Fields & { spec: Fields; reason: Fields })[];
  console.log(
    table(
      tasks.map((task) => ({
        task: String(task.taskId),
        state: String(task.state),
        age: ageOf(task.acceptedAt),
        attempt: Number(task.attempt),
        host: String(task.hostId ?? '-'),
        family: String(task.spec.family),
        reason: String(task.reason.detail).slice(0, 80),
      })),
    ),
  );
  if (answer.more) console.log('  ... and more: ask for another state, or raise the limit.');
}

function printDeadLetters(answer: Fields): void {
  if (answer.body !== undefined) {
    console.log(`${answer.messageId} in ${answer.queue}, ${answer.ageSeconds} s old: ${answer.about}`);
    console.log(`${answer.why}.\nNext: ${answer.next}.\n\n${answer.body}`);
    return;
  }
  if (answer.queues !== undefined) {
    console.log(table(answer.queues as Readonly<Record<string, string | number>>[]));
    return;
  }
  const letters = answer.letters as Fields[];
  console.log(`${answer.queue}: ${answer.messages} messages, ${answer.inFlight} in flight`);
  console.log(
    table(
      letters.map((letter) => ({
        message: String(letter.messageId),
        age: `${letter.ageSeconds} s`,
        task: String(letter.taskId ?? '-'),
        about: String(letter.about).slice(0, 80),
      })),
    ),
  );
}

/** Prints an answer for a person. */
export function printAnswer(operation: string, answer: Fields): void {
  if (answer.outcome === 'refused') {
    const problems = answer.problems as { field: string; rule: string; fix: string }[];
    for (const { rule, fix } of problems) console.error(`${rule} ${fix}`);
    return;
  }
  switch (operation) {
    case 'status':
      printStatus(answer);
      return;
    case 'list':
      printList(answer);
      return;
    case 'explain': {
      const task = answer.task as Fields;
      console.log(
        `task ${task.taskId} is ${task.state}, attempt ${task.attempt}, accepted ${ageOf(task.acceptedAt)} ago`,
      );
      if (answer.ahead !== undefined) console.log(`${answer.ahead} pending tasks go before it`);
      if (answer.share !== undefined) console.log(String(answer.share));
      console.log(String(answer.summary));
      return;
    }
    case 'dead-letters':
      printDeadLetters(answer);
      return;
    default:
      console.log(JSON.stringify(answer, null, 2));
  }
}
