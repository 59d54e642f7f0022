/** The kind of value that a field of an event holds, as a type and as a check. */
export interface Kind<T> {
  /** Its name in the help: `text`, `endpoint`. */
  readonly name: string;
  readonly optional?: boolean;
  holds(value: unknown): value is T;
}

/** A field that may be absent. */
export type Optional<T> = Kind<T> & { readonly optional: true };

/** The fields of an event, in the order in which they are printed. */
export type Fields = Readonly<Record<string, Kind<unknown>>>;

type OptionalNames<F extends Fields> = {
  [Name in keyof F]: F[Name] extends { readonly optional: true } ? Name : never;
}[keyof F];

/** What a kind of value holds. */
export type ValueOf<K> = K extends Kind<infer T> ? T : never;

/** An object with these fields. */
export type ObjectOf<F extends Fields> =
  & { readonly [Name in Exclude<keyof F, OptionalNames<F>>]: ValueOf<F[Name]> }
  & { readonly [Name in OptionalNames<F>]?: ValueOf<F[Name]> | undefined };

export const text = kind("text", (value): value is string => typeof value === "string");

/** `true` or `false`. */
export const truth = kind("boolean", (value): value is boolean => typeof value === "boolean");

/** A whole number from 0 up. */
export const count = kind(
  "count",
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
);

/** A number, such as a ratio. */
export const number = kind("number", (value): value is number => Number.isFinite(value));

/** A duration, or a time since a start, in milliseconds. */
export const milliseconds = kind(
  "milliseconds",
  (value): value is number => Number.isFinite(value) && Number(value) >= 0,
);

/** A time in UTC, in ISO 8601 format. */
export const time = kind(
  "time",
  (value): value is string => typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value),
);

/** `10.0.0.7:4040`, `[::1]:4040`, a Unix socket's path, or `unnamed` for its connecting end. */
export const endpoint = kind(
  "endpoint",
  (value): value is string =>
    typeof value === "string" &&
    /^(?:\d+(?:\.\d+){3}:\d+|\[[\da-f:.]+(?:%[^\]]+)?\]:\d+|(?!\d+(?:\.\d+){3}$)[^:]+|.*\/.*)$/is
      .test(value),
);

/** A port number. */
export const port = kind(
  "port",
  (value): value is number => count.holds(value) && value <= 65_535,
);

export function oneOf<const T extends string>(...values: readonly T[]): Kind<T> {
  return kind(
    values.map((value) => `"${value}"`).join(" | "),
    (value): value is T => (values as readonly unknown[]).includes(value),
  );
}

export function either<One, Other>(one: Kind<One>, other: Kind<Other>): Kind<One | Other> {
  return kind(
    `${one.name} | ${other.name}`,
    (value): value is One | Other => one.holds(value) || other.holds(value),
  );
}

export const nothing = kind("null", (value): value is null => value === null);

export function listOf<T>(item: Kind<T>): Kind<readonly T[]> {
  return kind(
    `list of ${item.name}`,
    (value): value is readonly T[] => Array.isArray(value) && value.every(item.holds),
  );
}

/** An object with any names and values of one kind. */
export function mapOf<T>(item: Kind<T>): Kind<Readonly<Record<string, T>>> {
  return kind(
    `object of ${item.name}`,
    (value): value is Readonly<Record<string, T>> =>
      isObject(value) && Object.values(value).every(item.holds),
  );
}

export function objectOf<F extends Fields>(fields: F): Kind<ObjectOf<F>> {
  const names = Object.entries(fields).map(([name, { optional }]) => optional ? `${name}?` : name);
  return kind(
    `{ ${names.join(", ")} }`,
    (value): value is ObjectOf<F> => isObject(value) && problemsOf(value, fields).length === 0,
  );
}

export function optional<T>(inner: Kind<T>): Optional<T> {
  return { ...inner, optional: true };
}

/** Fields of one kind, each of which may be absent. */
export function optionals<T, const Name extends string>(
  inner: Kind<T>,
  ...names: readonly Name[]
): Readonly<Record<Name, Optional<T>>> {
  const fields = names.map((name) => [name, optional(inner)]);
  return Object.fromEntries(fields) as Record<Name, Optional<T>>;
}

/** Returns what is wrong with the fields of an object: missing, unknown, or of the wrong kind. */
export function problemsOf(value: Readonly<Record<string, unknown>>, fields: Fields): string[] {
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
  const wrong = Object.entries(fields).filter(([name, kind]) =>
    Object.hasOwn(value, name) ? !kind.holds(value[name]) : !kind.optional
  );
  return [
    ...unknown.map((name) => `unknown field ${name}`),
    ...wrong.map(([name, kind]) => `${name} is not ${kind.name}: ${JSON.stringify(value[name])}`),
  ];
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kind<T>(name: string, holds: (value: unknown) => value is T): Kind<T> {
  return { name, holds };
}
