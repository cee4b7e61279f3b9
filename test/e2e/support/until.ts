/** Waits for a condition, asking every `stepMs`, and fails with its name when the bound is reached. */
export async function until(
  what: string,
  boundMs: number,
  condition: () => boolean | Promise<boolean>,
  stepMs = 50,
): Promise<void> {
  const end = Date.now() + boundMs;
  for (;;) {
    if (await condition()) return;
    if (Date.now() >= end) throw new Error(`after ${boundMs} ms it is still not so that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  }
}
