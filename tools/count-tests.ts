import type { TestEvent } from "node:test/reporters";

/** A reporter of Node's test runner: the counts of a test file as one JSON value, once its process is done. */
// oxlint-disable-next-line import/no-default-export -- Node takes a reporter from a module's default export
export default async function* countTests(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    if (event.type === "test:summary") {
      yield JSON.stringify(event.data.counts);
    }
  }
}
