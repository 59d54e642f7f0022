/** How every reply begins that is an error and not an answer. */
export const ERROR_PREFIX = "Error: ";

/** Bytes that an error reply has at most, so that what was asked can't be thrown back as a flood. */
export const MAX_ERROR_LENGTH = 64;

/** The replies of these services that can't be taken for a request. */
const REPLY = /^(?:Error: |Thanks\.\.\.$|(?:Sum|Diff|Product|Div) of \S+ and \S+ is )/;

/** Whether a text is surely a reply of one of these services, and no request. */
export function readsAsReply(text: string): boolean {
  return REPLY.test(text);
}
