/** How operating systems differ in what their sockets do. Only this module asks which one it is. */
interface System {
  /**
   * Milliseconds after which a refused connection is known to be refused: Windows asks the port
   * three times before it believes the answer.
   */
  readonly refusalMs: number;
  /** Maximum bytes of a datagram that the system sends (macOS: `net.inet.udp.maxdgram`). */
  readonly maxDatagram: number;
  readonly hasUnixSockets: boolean;
  /** Maximum bytes of a Unix socket's path: `sun_path` less its NUL (unix(7); BSD's is 4 shorter). */
  readonly maxUnixPath: number;
  /** Whether the zone of a link-local address is its interface's number, not its name. */
  readonly zonesAreNumbers: boolean;
  /**
   * Whether binding an address succeeds while another program has the port on all addresses, and
   * the other way round.
   */
  readonly sharesPorts: boolean;
  /** Whether it spreads connections over the processes that share a port (`--reuse-port`). */
  readonly spreadsConnections: boolean;
  /** Whether datagrams for a neighbour that does not answer hold up those for others. */
  readonly holdsDatagrams: boolean;
}

const unix: System = {
  refusalMs: 0,
  maxDatagram: 65_507,
  hasUnixSockets: true,
  maxUnixPath: 103,
  zonesAreNumbers: false,
  sharesPorts: false,
  spreadsConnections: false,
  holdsDatagrams: false,
};

const systems: Readonly<Record<string, System>> = {
  linux: { ...unix, maxUnixPath: 107, spreadsConnections: true, holdsDatagrams: true },
  darwin: { ...unix, maxDatagram: 9_216, sharesPorts: true },
  windows: {
    ...unix,
    refusalMs: 2_100,
    hasUnixSockets: false,
    zonesAreNumbers: true,
    sharesPorts: true,
  },
};

/** The name of the system that netdemo runs on: `linux`, `darwin`, `windows`. */
export const os: string = Deno.build.os;

/** What its sockets do. */
export const system: System = systems[os] ?? unix;
