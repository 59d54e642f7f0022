/** How strict an examination is. Each level includes the ones before it. */
export type Level = "lesson" | "robust" | "stream";

/** Every level, the easiest first. */
export const levels: readonly Level[] = ["lesson", "robust", "stream"];

/** The lesson's services. */
export type ServiceName = "hello" | "message" | "calc";

export const everyService: readonly ServiceName[] = ["hello", "message", "calc"];

/** What is examined: one of the lesson's six programs. */
export interface Subject {
  readonly service: ServiceName;
  readonly role: "server" | "client";
}

/** Every subject by its name on the command line. */
export const subjects: ReadonlyMap<string, Subject> = new Map(
  (["server", "client"] as const).flatMap((role) =>
    everyService.map((service) => [`${service}-${role}`, { service, role }] as const)
  ),
);
