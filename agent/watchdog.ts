import { execFile } from 'node:child_process';

/**
 * Tells systemd, when it started us. Node has no datagram sockets to do it by itself; a failure is systemd's to act on,
 * which is what a watchdog is for.
 */
export function notifySystemd(state: 'READY=1' | 'WATCHDOG=1'): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  execFile('systemd-notify', [state], () => {});
}
