/** How every reply begins that is an error and not an answer. */
export const ERROR_PREFIX = "Error: ";

/** Bytes that an error reply has at most, so that what was asked can't be thrown back as a flood. */
export const MAX_ERROR_LENGTH = 64;
