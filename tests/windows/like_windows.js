/**
 * Preloaded on Linux: makes Deno behave as it does on Windows, where netdemo has to know of the
 * difference. What each part imitates is documented there or was seen there.
 */
const { connect, listen, listenDatagram, networkInterfaces } = Deno;
const { addSignalListener, removeSignalListener } = Deno;

Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "windows" } });

function failure(Kind, code, number) {
  return Object.assign(new Kind(`Words in the user's language. (os error ${number})`), { code });
}

const isWildcard = (hostname) => hostname === "0.0.0.0" || hostname === "::";

/** A refused connection is tried three times, which takes 2 s; 0.0.0.0 is no destination. */
Deno.connect = async (options) => {
  if (isWildcard(options.hostname)) {
    throw failure(Deno.errors.AddrNotAvailable, "EADDRNOTAVAIL", 10049);
  }
  try {
    return await connect(options);
  } catch (error) {
    if (error.code === "ECONNREFUSED") await pause(2_005, options.signal);
    throw error;
  }
};

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** `::` takes IPv6 alone; an address can be bound while another program has the port on all. */
Deno.listen = (options) => {
  assertZone(options.hostname);
  if (options.hostname === "::") return named(listen({ ...options, hostname: "::1" }), options);
  try {
    return listen(options);
  } catch (error) {
    if (error.code !== "EADDRINUSE" || isWildcard(options.hostname)) throw error;
    return named(listen({ ...options, port: 0 }), options);
  }
};

/** A listener that says it listens where it was told to. */
function named(listener, { hostname, port }) {
  const addr = { ...listener.addr, hostname, ...(port > 0 && { port }) };
  return {
    addr,
    accept: () => listener.accept(),
    close: () => listener.close(),
    [Symbol.dispose]: () => listener.close(),
  };
}

/** Zones are numbers: a name is looked up, and not found. One interface has none that works. */
Deno.listenDatagram = (options) => {
  assertZone(options.hostname);
  return listenDatagram(options);
};

function assertZone(hostname) {
  const [, zone] = hostname.split("%");
  if (zone === undefined || /^\d+$/.test(zone) && zone !== DEAD_ZONE) return;
  throw failure(Deno.errors.NotFound, "ENOENT", 11001);
}

const DEAD_ZONE = "99";

/** Names of interfaces hold spaces; a tunnel has an address that can't be bound. */
Deno.networkInterfaces = () => [
  ...networkInterfaces().map((one) => ({
    ...one,
    name: one.name === "lo" ? "Loopback Pseudo-Interface 1" : "Ethernet 2",
  })),
  {
    family: "IPv6",
    name: "Teredo Tunneling Pseudo-Interface",
    address: "fe80::1",
    netmask: "ffff:ffff:ffff:ffff::",
    scopeid: Number(DEAD_ZONE),
    cidr: "fe80::1/64",
    mac: "00:00:00:00:00:00",
  },
];

/** Ctrl-Break is SIGBREAK. */
Deno.addSignalListener = (signal, handler) => {
  addSignalListener(signal === "SIGBREAK" ? "SIGUSR2" : signal, handler);
};
Deno.removeSignalListener = (signal, handler) =>
  removeSignalListener(signal === "SIGBREAK" ? "SIGUSR2" : signal, handler);
