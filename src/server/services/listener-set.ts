import type { SocketGrant } from "#plan/socket-grant.ts";

type Closable = { readonly close: () => Promise<void> };

function placeOf({ interfaceName, localAddress, localPort, groups }: SocketGrant): string {
  return [interfaceName, localAddress, localPort, ...groups].join(" ");
}

/** The listeners of one service, which follow the plan: what is wanted is opened before what is not is closed. */
export class ListenerSet<Listener extends Closable> {
  /** Keyed by place. BOUNDED by the ports of a flow times our interfaces. */
  readonly #open = new Map<string, { readonly grant: SocketGrant; readonly listener: Listener }>();

  list(): readonly Listener[] {
    return [...this.#open.values()].map(({ listener }) => listener);
  }

  find(isIt: (grant: SocketGrant) => boolean): Listener | null {
    return [...this.#open.values()].find(({ grant }) => isIt(grant))?.listener ?? null;
  }

  has(isIt: (grant: SocketGrant) => boolean): boolean {
    return this.find(isIt) !== null;
  }

  /**
   * Opens what is granted and not open, then closes what is open and not granted any more. When one cannot be opened
   * everything stays as it was.
   *
   * @param retire what to do with a listener that is not wanted any more; default: close it
   * @throws NetworkError of the first that could not be opened
   */
  async follow(
    grants: readonly SocketGrant[],
    open: (grant: SocketGrant) => Promise<Listener>,
    retire: (listener: Listener) => Promise<void> = (listener) => listener.close(),
  ): Promise<void> {
    const wanted = new Map(grants.map((grant) => [placeOf(grant), grant]));
    const opened = new Map<string, { readonly grant: SocketGrant; readonly listener: Listener }>();
    try {
      for (const [place, grant] of wanted) {
        if (!this.#open.has(place)) {
          opened.set(place, { grant, listener: await open(grant) });
        }
      }
    } catch (error) {
      await Promise.all([...opened.values()].map(({ listener }) => listener.close()));
      throw error;
    }
    const surplus = [...this.#open].filter(([place]) => !wanted.has(place));
    for (const [place] of surplus) {
      this.#open.delete(place);
    }
    for (const [place, entry] of opened) {
      this.#open.set(place, entry);
    }
    await Promise.all(surplus.map(([, { listener }]) => retire(listener)));
  }

  async close(): Promise<void> {
    const listeners = this.list();
    this.#open.clear();
    await Promise.all(listeners.map((listener) => listener.close()));
  }
}
