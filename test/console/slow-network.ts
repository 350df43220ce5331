import { setTimeout as delay } from "node:timers/promises";
import type { BrowserContext } from "playwright-core";

/** Milliseconds from the environment; 0 where it says nothing. */
function readDelay(name: string): number {
  return Number(process.env[`PORTOLAN_TEST_${name}_DELAY_MS`] ?? 0);
}

/**
 * A server as far away as the environment says. A test that looks at the server before the page shows its answer fails
 * here each time, and elsewhere once in a thousand times. Each way has a delay of its own: an answer that waits is older
 * than the events that overtake it.
 */
export async function slowDown(context: BrowserContext): Promise<void> {
  const requestMs = readDelay("REQUEST");
  const answerMs = readDelay("ANSWER");
  const eventMs = readDelay("EVENT");
  if (requestMs + answerMs > 0) {
    await context.route("**/*", async (route) => {
      await delay(requestMs);
      // Chromium lets a page that did not come from the server itself talk to no server of a local network.
      if (answerMs === 0 || !route.request().url().includes("/api/")) {
        await route.continue();
        return;
      }
      const response = await route.fetch({ maxRedirects: 0 });
      await delay(answerMs);
      await route.fulfill({ response });
    });
  }
  if (eventMs > 0) {
    await context.routeWebSocket(/\/api\/v1\/events/, (socket) => {
      const server = socket.connectToServer();
      // Equal delays keep the order.
      server.onMessage((message) => setTimeout(() => socket.send(message), eventMs));
    });
  }
}
