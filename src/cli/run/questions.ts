/** Time in which a process with a responsive event loop answers, even on a slow machine. */
const answerMs = 2_000;

interface Asked {
  readonly silence: NodeJS.Timeout;
  readonly heard: () => void;
}

/** Questions to another process, which it answers in order while its event loop turns. */
export class Questions<Question> {
  readonly #send: (question: Question) => void;
  readonly #asked: Asked[] = [];

  constructor(send: (question: Question) => void) {
    this.#send = send;
  }

  /** Asks a question; calls `heard` when it is answered, `silent` if the answer takes too long. */
  ask(question: Question, silent: () => void, heard: () => void = () => {}): void {
    this.#asked.push({ silence: setTimeout(silent, answerMs), heard });
    this.#send(question);
  }

  /** Records the answer to the oldest open question. */
  answer(): void {
    const asked = this.#asked.shift();
    clearTimeout(asked?.silence);
    asked?.heard();
  }

  close(): void {
    for (const { silence } of this.#asked.splice(0)) clearTimeout(silence);
  }
}
