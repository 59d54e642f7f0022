import type { Observation, Test, TestFacts } from "../../../suite/test.ts";
import type { ConnectionPair } from "../connection_pair.ts";
import type { TcpDriver } from "../tcp_driver.ts";

/** A question about one connection through the forwarder. */
export interface ConnectionQuestion extends TestFacts {
  /** Asks it. @throws {Finding} if the answer differs from the one without a forwarder. */
  ask(pair: ConnectionPair, driver: TcpDriver): Promise<Observation>;
}

/** Makes a test of a question: on its own connection, on which nothing may be left over. */
export function onConnection({ ask, ...facts }: ConnectionQuestion): Test<TcpDriver> {
  return {
    needs: ["reply"],
    ...facts,
    async run(driver) {
      using pair = await driver.pair(facts.id);
      const answer = await ask(pair, driver);
      pair.nothingLeft();
      return answer;
    },
  };
}
