import { type ForeignStart, foreignStart } from "../../protocol/first_bytes.ts";
import { ERROR_PREFIX } from "../../protocol/reply.ts";
import { decodeUtf8 } from "../../protocol/utf8.ts";
import type { Requester, Service } from "../service.ts";
import type { ServedConnection } from "./connection.ts";

/**
 * The start of a connection that is to be refused: answered line by line, a header of the PROXY
 * protocol would shift each answer by one. Whatever the connection begins with is reported once.
 *
 * @param count Bytes that have just been read.
 */
export function refusedStart(
  connection: ServedConnection,
  count: number,
): ForeignStart | undefined {
  if (connection.foreign !== undefined) return undefined;
  const { service, onForeign } = connection.context;
  const bytes = connection.reader.lines.unread(count);
  const foreign = connection.foreign = foreignStart(bytes);
  if (foreign === undefined) return undefined;
  onForeign?.(connection, foreign.kind);
  return isRequest(foreign, bytes, service, connection) ? undefined : foreign;
}

/** Whether the service may answer it: a server of messages thanks for any text. */
export function isRequest(
  { goesOn = false, mayBeText = false }: ForeignStart,
  bytes: Uint8Array,
  service: Service,
  requester: Requester,
): boolean {
  if (goesOn || !mayBeText) return goesOn;
  const [line = ""] = decodeUtf8(bytes)?.split(/\r?\n/, 1) ?? [];
  const reply = service.reply(line, requester);
  return typeof reply !== "string" || !reply.startsWith(ERROR_PREFIX);
}
