/** `1 byte`, `50 connections`. */
export const counted = (count: number, noun: string): string => `${count} ${nounFor(count, noun)}`;

/** The noun for so many: `byte`, `bytes`. */
export const nounFor = (count: number, noun: string): string => count === 1 ? noun : `${noun}s`;
