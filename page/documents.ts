import { patientStream } from "./patient_stream.ts";

/** Most documents sent at a time: each keeps the events that it began with. */
const MOST_DOCUMENTS = 20;

/** The documents being sent. */
export class Documents {
  readonly #patience: number;
  #open = 0;

  /** @param patience Milliseconds that a reader may take for each part. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Opens a document as a stream; `undefined` if too many are already being sent. */
  open(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> | undefined {
    if (this.#open >= MOST_DOCUMENTS) return undefined;
    this.#open++;
    return patientStream(async () => {
      const { value, done } = await parts.next();
      return done ? undefined : value;
    }, { patience: this.#patience, over: () => this.#open-- });
  }
}
