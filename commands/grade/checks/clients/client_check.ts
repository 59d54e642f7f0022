import type { ClientUnderTest } from "../../clients/client_under_test.ts";
import type { Scenario } from "../../clients/scripted_server.ts";
import type { Check } from "../check.ts";

/** A check of a client, with the situation that it is put into, if that is its own. */
export interface ClientCheck extends Check<ClientUnderTest> {
  readonly scenario?: Scenario;
}
