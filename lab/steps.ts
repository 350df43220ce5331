/** Named steps with times, shown as they happen: one line when a step begins, one when it has ended. */
export class Steps {
  readonly #startedAtMs = performance.now();
  readonly #ended: { title: string; durationMs: number }[] = [];

  say(text: string): void {
    const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(0).padStart(4);
    process.stdout.write(`${seconds} s  ${text}\n`);
  }

  async do<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
    const startedAtMs = performance.now();
    this.say(`${title} …`);
    try {
      const result = await work();
      this.#ended.push({ title, durationMs: performance.now() - startedAtMs });
      return result;
    } catch (error) {
      this.say(`FAILED: ${title}`);
      throw error;
    }
  }

  summary(): string {
    const width = Math.max(...this.#ended.map(({ title }) => title.length));
    const rows = this.#ended.map(
      ({ title, durationMs }) => `  ${title.padEnd(width)}  ${(durationMs / 1000).toFixed(1).padStart(6)} s`,
    );
    const total = ((performance.now() - this.#startedAtMs) / 1000).toFixed(1);
    return [...rows, `  ${"altogether".padEnd(width)}  ${total.padStart(6)} s`].join("\n");
  }
}
