import { patientStream } from "./patient_stream.ts";

/** Documents that are sent at a time: each keeps the events that it was begun with. */
const MOST_DOCUMENTS = 20;

/** The documents on their way. */
export class Documents {
  readonly #patience: number;
  #open = 0;

  /** @param patience Milliseconds that a reader may take for each part. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** A document as a stream; `undefined` if too many are read already. */
  open(parts: AsyncGenerator<string>): ReadableStream<Uint8Array> | undefined {
    if (this.#open >= MOST_DOCUMENTS) return undefined;
    this.#open++;
    return patientStream(async () => {
      const { value, done } = await parts.next();
      return done ? undefined : value;
    }, { patience: this.#patience, over: () => this.#open-- });
  }
}
