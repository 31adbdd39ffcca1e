import { type Address, formatAddress, parseAddress } from '../run/address.ts';

/** How long the address bar may stay behind while it changes many times a second. */
const writeEveryMs = 250;

/** Joins the page's state to the address bar: what is shown is what a link of it shows. */
export class Router {
  address: Address;
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.address = parseAddress(location.hash);
    addEventListener('hashchange', () => {
      this.#stopWriting();
      this.address = parseAddress(location.hash);
      this.#tell();
    });
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Goes to another place, which the Back button leaves again. */
  go(address: Address): void {
    this.#stopWriting();
    this.address = address;
    history.pushState(null, '', formatAddress(address));
    this.#tell();
  }

  /** Changes the place where one is: by a slider, a filter or a selection. */
  change(address: Address): void {
    this.address = address;
    // Browsers refuse more than some hundred changes in half a minute.
    this.#timer ??= setTimeout(() => this.#write(), writeEveryMs);
    this.#tell();
  }

  #write(): void {
    this.#timer = undefined;
    const hash = formatAddress(this.address);
    if (hash !== location.hash) history.replaceState(null, '', hash);
  }

  #stopWriting(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
