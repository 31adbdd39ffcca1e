/** Within that a process whose event loop turns has answered, on a slow machine too. */
const answerMs = 2_000;

interface Asked {
  readonly silence: NodeJS.Timeout;
  readonly heard: () => void;
}

/** Questions to another process, which it answers one after the other while its event loop turns. */
export class Questions<Question> {
  readonly #send: (question: Question) => void;
  readonly #asked: Asked[] = [];

  constructor(send: (question: Question) => void) {
    this.#send = send;
  }

  /** Asks, and calls back: `heard` at the answer, `silent` where that is long in coming. */
  ask(question: Question, silent: () => void, heard: () => void = () => {}): void {
    this.#asked.push({ silence: setTimeout(silent, answerMs), heard });
    this.#send(question);
  }

  /** The question that was asked first has its answer. */
  answer(): void {
    const asked = this.#asked.shift();
    clearTimeout(asked?.silence);
    asked?.heard();
  }

  close(): void {
    for (const { silence } of this.#asked.splice(0)) clearTimeout(silence);
  }
}
