/** One value for one file of a cgroup. */
export interface Knob {
  /** v1 hierarchy the file lies in; v2 has one for all. */
  readonly controller: string;
  readonly file: string;
  /** As written; read back through `sameValue`. */
  readonly value: string;
}

/** v1's spelling of "no limit" on memory files, rounded down to a page. */
const V1_UNLIMITED_BYTES = 2 ** 63 - 4096;

/**
 * Whether a file's content means the value that was written: the kernel appends newlines, spells absence its own way and
 * keeps one line per device.
 */
export function sameValue(file: string, content: string, value: string): boolean {
  const now = content.trim();
  if (now === value) return true;
  if (file === 'io.max')
    return ioMaxLine(now, value.split(' ')[0] ?? '') === ioMaxLine(value, value.split(' ')[0] ?? '');
  if (file.startsWith('blkio.throttle.')) return now.split('\n').includes(value) || deviceAbsent(now, value);
  if (file === 'io.weight' || file === 'io.bfq.weight')
    return now.split('\n').includes(value) || now === value.replace('default ', '');
  // Freezing a group of many processes takes the v1 kernel a moment, which is no refusal.
  if (file === 'freezer.state' && value === 'FROZEN') return now === 'FREEZING';
  if (file.startsWith('memory.') && value === '-1') return Number(now) >= V1_UNLIMITED_BYTES;
  return false;
}

/** `io.max` holds all four limits of a device in one line, `max` for those not given. */
function ioMaxLine(content: string, device: string): string {
  const fields: Record<string, string> = { rbps: 'max', wbps: 'max', riops: 'max', wiops: 'max' };
  const line = content.split('\n').find((each) => each.startsWith(`${device} `)) ?? '';
  for (const part of line.split(' ').slice(1)) {
    const [name = '', value = ''] = part.split('=');
    fields[name] = value;
  }
  return JSON.stringify(fields);
}

/** A throttle of 0 removes the device's line. */
const deviceAbsent = (content: string, value: string): boolean => {
  const [device = '', rate] = value.split(' ');
  return rate === '0' && !content.split('\n').some((line) => line.startsWith(`${device} `));
};
