/**
 * What users of other tools type, and the line that the hint shows.
 *
 * Lines are split at spaces; an argument with spaces is in quotes.
 */
export const habits: Readonly<Record<string, string>> = {
  // Names of commands.
  "server calc": "calc-server",
  "server calc --port 4040": "calc-server --port 4040",
  "client message hi": "message-client hi",
  "calc server": "calc-server",
  "hello client :4030": "hello-client :4030",
  "calculator-server --port 4040": "calc-server --port 4040",
  "calc 10 20 +": "calc-client 10 20 +",
  "message Hello": "message-client Hello",
  "ping web:4040": "check web:4040",
  "wait localhost:4040": "check --for 30s localhost:4040",
  "nc -l 4040": "message-server --port 4040",

  // check, with the server named as for a client.
  "check --host web --port 4040": "check web:4040",
  "check -p 4040": "check :4040",
  "check --udp localhost:4040": "check udp://localhost:4040",
  "check open=tls:web:443 udp:[::1]:4040": 'check open=tls://web:443 "udp://[::1]:4040"',
  "check refused=web:4040/lab -u --timeout 1s": "check --timeout 1s refused=udp://web:4040/lab",
  "check --host web -p 4040 --udp --json": "check --json udp://web:4040",

  // path.
  "path 4040 8080": "path --listen 4040 :8080",
  "path -l 4040 localhost:8080": "path --listen 4040 localhost:8080",
  "path -l 4040 web 8080": "path --listen 4040 web:8080",
  "path --port=4040 :8080": "path --listen 4040 :8080",
  "path --udp --listen 4040 8080": "path --udp --listen 4040 :8080",
  "path --listen 4040 web 8080": "path --listen 4040 web:8080",

  "--port 4040 calc-server": "calc-server --port 4040",
  "--json calc-client :4040 1 2 +": "calc-client --json :4040 1 2 +",

  // Servers.
  "calc-server 4040": "calc-server --port 4040",
  "calc-server :4040": "calc-server --port 4040",
  "calc-server --once 4040": "calc-server --once --port 4040",
  "calc-server 0.0.0.0:4040": "calc-server --host 0.0.0.0 --port 4040",
  "calc-server 0.0.0.0 4040": "calc-server --host 0.0.0.0 --port 4040",
  "calc-server localhost": "calc-server --host localhost",
  "calc-server -l 4040": "calc-server --port 4040",
  "calc-server -l -p 4040": "calc-server -p 4040",
  "calc-server -lp 4040": "calc-server --port 4040",
  "calc-server -l": "calc-server",
  "calc-server -k -p 4040": "calc-server -p 4040",
  "calc-server --bind 0.0.0.0": "calc-server --host 0.0.0.0",
  "calc-server --bind 0.0.0.0:4040": "calc-server --host 0.0.0.0 --port 4040",
  "calc-server --bind=:4040": "calc-server --port 4040",
  "calc-server --listen 4040": "calc-server --port 4040",
  "calc-server --listen --port 4040": "calc-server --port 4040",
  "calc-server -b 127.0.0.1 -p 4040": "calc-server -p 4040 --host 127.0.0.1",
  "calc-server -P 4040": "calc-server --port 4040",
  "calc-server --tcp --port 4040": "calc-server --port 4040",
  "calc-server --protocol udp": "calc-server --udp",
  "calc-server -v": "calc-server --verbose",

  // Clients.
  "calc-client localhost 4040": "calc-client localhost:4040",
  "calc-client localhost 4040 10 20 +": "calc-client localhost:4040 10 20 +",
  "calc-client 10.0.0.7 4040 10 20 +": "calc-client 10.0.0.7:4040 10 20 +",
  "calc-client localhost 10 20 +": "calc-client --host localhost 10 20 +",
  "calc-client 4040": "calc-client :4040",
  "hello-client localhost 4030": "hello-client localhost:4030",
  "hello-client 4030": "hello-client :4030",
  "hello-client localhost": "hello-client --host localhost",
  "calc-client --server localhost 1 2 +": "calc-client --host localhost 1 2 +",
  "calc-client -H localhost 1 2 +": "calc-client --host localhost 1 2 +",
  "calc-client :4040 -v 1 2 +": "calc-client --trace :4040 1 2 +",
  "calc-client :4040 --verbose 1 2 +": "calc-client --trace :4040 1 2 +",
  "calc-client :4040 -w 3 1 2 +": "calc-client --timeout 3 :4040 1 2 +",
  "message-client --text Hello": "message-client Hello",
  "message-client -m 'Good morning'": 'message-client "Good morning"',

  // The calculator.
  "calc-client 10 + 20": "calc-client 10 20 +",
  "calc-client 10 × 20": 'calc-client 10 20 "*"',
  "calc-client :4040 10 ÷ 20": "calc-client :4040 10 20 /",
  "calc-client 10 − 20": "calc-client 10 20 -",
  "calc-client 10+20": "calc-client 10 20 +",
  "calc-client '10+20'": "calc-client 10 20 +",
  "calc-client :4040 10x20": 'calc-client :4040 10 20 "*"',
  "calc-client + 10 20": "calc-client 10 20 +",
  "calc-client :4040 6 '*' 7": 'calc-client :4040 6 7 "*"',
  "calc-client 6 7 README.md": 'calc-client 6 7 "*"',
  "calc-client :4040 6 7 LICENSE README.md build cli": 'calc-client :4040 6 7 "*"',
  "calc-client :4040 10+20 --json": "calc-client --json :4040 10 20 +",
  "calc-client 6 7 LICENSE README.md --timeout 5s": 'calc-client --timeout 5s 6 7 "*"',
  "calc-client -4 + 3": "calc-client -4 3 +",
  "demo calc 10 + 20": "demo calc 10 20 +",

  // Addresses.
  "address 80": "address :80",
  "address localhost 80": "address localhost:80",

  // The tools.
  "check 4040": "check :4040",
  "check :4040 --wait 10": "check --for 10 :4040",
  "serve calc 4040": "serve calc:4040",
  "relay 4041 localhost:4040": "relay --port 4041 localhost:4040",
  "path 4040 localhost:8080": "path --listen 4040 localhost:8080",
  "grade calc-server localhost 4040": "grade calc-server localhost:4040",
  "grade calc-server python3 server.py": "grade calc-server -- python3 server.py",
  "grade calc-server server.py": 'grade calc-server -- python3 server.py "{port}"',
  "grade calc-server python3 server.py 4040": "grade calc-server -- python3 server.py 4040",
  "grade calc-server server.py 4040": 'grade calc-server -- python3 server.py "{port}"',
  "grade calc-server server.py --seed 1":
    'grade --seed 1 calc-server -- python3 server.py "{port}"',
  "demo udp": "demo --udp",
  "check localhost 4040": "check localhost:4040",
  "calc-client 6 x 7": 'calc-client 6 7 "*"',
  "relay 4041:localhost:4040": "relay --port 4041 localhost:4040",
  "serve calc=4040": "serve calc:4040",
  "check refused localhost:4049": "check refused=localhost:4049",
  "relay --port 4061 localhost 4040": "relay --port 4061 localhost:4040",
  "demo explain": "demo --explain",
  "localhost:4040": "check localhost:4040",
  "connect localhost 4040": "hello-client localhost:4040",
  "-l 4040": "message-server --port 4040",
  "calc-server port 4060": "calc-server --port 4060",
  "message-client -w 3 meet at 4040": "message-client --timeout 3 meet at 4040",
  "nc -lk 4040": "message-server --port 4040",
  "localhost 4040": "check localhost:4040",
  "check refused :4049": "check refused=:4049",
  "check localhost:4040 refused": "check refused=localhost:4040",
  "check --udp :4040": "check udp://:4040",
  "check https:localhost": "check https://localhost",
  "check http localhost:8080": "check http://localhost:8080",
  "check -c 5 :4040": "check --count 5 :4040",
  "ping -c 3 localhost:4040": "check --count 3 localhost:4040",
  "wait-for-it localhost:4040": "check --for 30s localhost:4040",
  "relay :4061 :4040": "relay --port 4061 :4040",
  "relay -L 4061:localhost:4040": "relay --port 4061 localhost:4040",
  "serve calc 4040 lab 4050": "serve calc:4040 lab:4050",
  "serve calc --port 4040": "serve calc:4040",
  "grade calc-server ./server": 'grade calc-server -- ./server "{port}"',
  "calc-server udp 4040": "calc-server --udp --port 4040",
  "calc-server -vv": "calc-server --verbose",
  "message-client -v see localhost 4040": "message-client --trace see localhost 4040",
};

/** The words of a line, split as a shell splits them. */
export function words(line: string): string[] {
  return (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));
}
