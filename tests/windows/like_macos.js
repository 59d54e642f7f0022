/**
 * Preloaded on Linux: makes Deno behave as it does on macOS, where netdemo has to know of the
 * difference. Connections to 127.0.0.N fail with the error number N.
 */
const { connect, listenDatagram } = Deno;

Object.defineProperty(Deno, "build", { value: { ...Deno.build, os: "darwin" } });

/** Errors as macOS numbers them; some have no `code` of their own. */
const failures = {
  41: () => new Error("Protocol wrong type for socket (os error 41)"),
  64: () => new Error("Host is down (os error 64)"),
  65: () => Object.assign(new Error("No route to host (os error 65)"), { code: "EHOSTUNREACH" }),
};

Deno.connect = async (options) => {
  const number = /^127\.0\.0\.(\d+)$/.exec(options.hostname ?? "")?.[1];
  const failure = failures[number];
  if (failure === undefined) return await connect(options);
  if (number !== "41") throw failure();
  // Written to while the peer was closing.
  const conn = await connect(options);
  conn.write = () => Promise.reject(failure());
  return conn;
};

/** Datagrams have at most `net.inet.udp.maxdgram` bytes. */
Deno.listenDatagram = (options) => {
  const socket = listenDatagram(options);
  const send = socket.send.bind(socket);
  socket.send = (bytes, to) => {
    if (bytes.length <= 9_216) return send(bytes, to);
    const error = new Error("Message too long (os error 40)");
    return Promise.reject(Object.assign(error, { code: "EMSGSIZE" }));
  };
  return socket;
};
